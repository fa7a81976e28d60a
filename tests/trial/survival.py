"""The survival trials: `python tests/trial/survival.py [--short] [--only NAME] [--out FILE.md]`.

Long by default, as `make trial` runs them; `--short` is what the suite runs. One JSON line a trial.
FILE.md keeps the rows of trials that are not run this time, in FILE.json beside it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from crowd import crowd, second_writer
from damage import damage
from disk import FREE, disk_full, growth
from kills import kills
from machine import machine

TRIALS: dict[str, Callable[[Path, bool, int], Any]] = {
    "kills": lambda folder, short, seed: kills(folder, 4 if short else 100, seed),
    "second writer, seconds": lambda folder, short, seed: second_writer(folder),
    "crowd": lambda folder, short, seed: crowd(
        folder, 3 if short else 20, 5 if short else 300, seed
    ),
    "damage": lambda folder, short, seed: damage(folder, 3 if short else None, seed),
    "disk full": lambda folder, short, seed: disk_full(folder, FREE[1::2] if short else FREE),
    "growth, times one index": lambda folder, short, seed: growth(folder, 3 if short else 50),
    "machine": lambda folder, short, seed: machine(
        folder, 5 if short else 200, 5 if short else 10, seed
    ),
}
Row = dict[str, Any]


def main() -> int:
    """Run the trials; the exit code is 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="small counts, as in the suite")
    parser.add_argument("--only", choices=list(TRIALS), action="append", help="one trial or more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write a table in Markdown here")
    args = parser.parse_args()
    failed = 0
    for name in args.only or TRIALS:
        row = _run(name, args.short, args.seed)
        print(json.dumps({"trial": name, **row}), flush=True)
        failed += row["outcome"] == "failed"
        if args.out:
            _record(args.out, name, row)
    return int(failed > 0)


def _run(name: str, short: bool, seed: int) -> Row:
    began, now = time.perf_counter(), dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="survival-") as folder:
        try:
            result = TRIALS[name](Path(folder) / "trial", short, seed)
            outcome = "held"
        except PermissionError as error:
            outcome, result = "skipped", str(error)
        except Exception as error:
            outcome, result = "failed", f"{type(error).__name__}: {error}"
    return {
        "outcome": outcome,
        "result": result,
        "seconds": round(time.perf_counter() - began, 1),
        "run": f"{now:%Y-%m-%d %H:%M}, seed {seed}{', short' if short else ''}",
    }


def _record(out: Path, name: str, row: Row) -> None:
    """Write the row among those of earlier runs."""
    kept = out.with_suffix(".json")
    rows: dict[str, Row] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    rows = {each: row if each == name else rows[each] for each in TRIALS if each in {*rows, name}}
    kept.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    out.write_text(_table(rows), "utf-8")


def _table(rows: dict[str, Row]) -> str:
    lines = [
        "# Survival trials",
        "",
        "`python tests/trial/survival.py`. Every answer is held to the plain model: a dict of",
        "revisions, the texts it stands for, and exact search over them; dense, filtered and BM25.",
        "",
        "| trial | outcome | result | seconds | run (UTC) |",
        "|---|---|---|---:|---|",
    ]
    lines += [
        f"| {name} | {row['outcome']} | {_text(row['result'])} | {row['seconds']} | {row['run']} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines) + "\n"


def _text(result: Any) -> str:
    if isinstance(result, dict):
        return "; ".join(f"{what}: {_text(count)}" for what, count in result.items())
    return str(round(result, 4) if isinstance(result, float) else result).replace("\n", " ")[:400]


if __name__ == "__main__":
    sys.exit(main())
