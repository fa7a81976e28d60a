"""The survival trials: `python tests/trial/survival.py [--short] [--only NAME] [--out FILE.md]`.

Long by default, as `make trial` runs them; `--short` is what the suite runs. One JSON line a trial.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from crowd import crowd, second_writer
from disk import disk_full, growth
from kills import kills
from machine import machine

TRIALS: dict[str, Callable[[Path, bool, int], Any]] = {
    "kills": lambda folder, short, seed: kills(folder, 6 if short else 100, seed),
    "second writer, seconds": lambda folder, short, seed: second_writer(folder),
    "crowd": lambda folder, short, seed: crowd(
        folder, 4 if short else 20, 10 if short else 300, seed
    ),
    "disk full": lambda folder, short, seed: disk_full(folder),
    "growth, times one index": lambda folder, short, seed: growth(folder, 5 if short else 50),
    "machine, examples": lambda folder, short, seed: machine(
        folder, 10 if short else 200, 4 if short else 10, seed
    ),
}


def main() -> int:
    """Run the trials; the exit code is 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="small counts, as in the suite")
    parser.add_argument("--only", choices=list(TRIALS), action="append", help="one trial or more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write a table in Markdown here")
    args = parser.parse_args()
    rows = []
    for name in args.only or TRIALS:
        row = _run(name, args.short, args.seed)
        rows.append(row)
        print(json.dumps(row), flush=True)
    if args.out:
        args.out.write_text(_table(rows, args.short, args.seed), "utf-8")
    return int(any(row["outcome"] == "failed" for row in rows))


def _run(name: str, short: bool, seed: int) -> dict[str, Any]:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="survival-") as folder:
        try:
            result = TRIALS[name](Path(folder) / "trial", short, seed)
            outcome = "held"
        except PermissionError as error:
            outcome, result = "skipped", str(error)
        except Exception as error:
            outcome, result = "failed", f"{type(error).__name__}: {error}"
    seconds = round(time.perf_counter() - began, 1)
    return {"trial": name, "outcome": outcome, "result": result, "seconds": seconds}


def _table(rows: list[dict[str, Any]], short: bool, seed: int) -> str:
    kind = "short" if short else "long"
    lines = [
        "# Survival trials",
        "",
        f"`python tests/trial/survival.py{' --short' if short else ''} --seed {seed}`, the {kind} "
        "counts; every answer is compared with exact search over a plain list.",
        "",
        "| trial | outcome | result | seconds |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['trial']} | {row['outcome']} | {_text(row['result'])} | {row['seconds']} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _text(result: Any) -> str:
    if isinstance(result, dict):
        return "; ".join(f"{what}: {count}" for what, count in result.items())
    return str(round(result, 3) if isinstance(result, float) else result).replace("\n", " ")[:400]


if __name__ == "__main__":
    sys.exit(main())
