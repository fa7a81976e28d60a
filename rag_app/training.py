"""What training leaves to be looked at: a run's steps, a model's card, the gate's verdict.

``finetune`` writes these files and reads their names here; the pages, which may not import it, read
them.
"""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag_app.errors import TrainingError

PROGRESS_FILE = "progress.jsonl"
"""Beside a seed's checkpoints, one JSON object a line: after an optimizer step ``seed``, ``step``,
``of``, ``loss``, ``lr``, ``pairs_per_s``, ``left_s``; after a dev score ``seed``, ``step`` and
``dev``. A resumed run goes on in it, so a step may stand there twice; the later one counts."""
VERDICT_FILE = "promotion.json"
CARD_FILE = "README.md"
PICTURE = "curves.png"
_TABLE = re.compile(r"^## How good it is\n+(?P<table>(?:\|.*\n)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a seed's run is: losses, learning rates and dev scores by optimizer step."""

    step: int
    of: int
    seed: int
    pairs_per_s: float
    left_s: float
    losses: dict[int, float] = field(default_factory=dict)
    rates: dict[int, float] = field(default_factory=dict)
    dev: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe as a page offers it; ``data`` is what it trains on if nobody says otherwise."""

    name: str
    base: str
    data: str


def workspace_of(home: Path, name: str) -> Path:
    """Where a model of that name is in the making; it is gone when it is finished."""
    return home / "models" / f".training-{name}"


def recipes() -> list[Recipe]:
    """The recipes that train a retriever, by name; the numeric one trains heads, not for search.

    Raises:
        TrainingError: training is not installed.
    """
    package = importlib.util.find_spec("finetune")
    if package is None or not package.submodule_search_locations:
        raise TrainingError("Training is not installed here; install the project from its source.")
    folder = Path(package.submodule_search_locations[0]) / "recipes"
    found = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in folder.glob("*.toml")}
    return [
        Recipe(name, str(found[name]["base"]), str(found[name]["data"]))
        for name in sorted(found)
        if "loss" in found[name]
    ]


def read_progress(home: Path, name: str) -> Progress | None:
    """The run that is in the making under a name; None where no step was taken yet.

    Of several seeds the one that trains now, the last.
    """
    files = list(workspace_of(home, name).glob(f"scratch/seed-*/{PROGRESS_FILE}"))
    if not files:
        return None
    lines = _whole_lines(max(files, key=_written_at))
    steps = {line["step"]: line for line in lines if "loss" in line}
    if not steps:
        return None
    last = next(line for line in reversed(lines) if "loss" in line)
    kept = [steps[step] for step in sorted(steps) if step <= last["step"]]
    return Progress(
        **{name: last[name] for name in ("step", "of", "seed", "pairs_per_s", "left_s")},
        losses={line["step"]: line["loss"] for line in kept},
        rates={line["step"]: line["lr"] for line in kept},
        dev={line["step"]: line["dev"] for line in lines if "dev" in line},
    )


def card_table(folder: Path) -> str:
    """The table of a model's card, a line a dimension; empty where the card has none."""
    try:
        found = _TABLE.search((folder / CARD_FILE).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    return found["table"] if found else ""


def verdict(folder: Path) -> str:
    """What the gate said of a model, a line a dimension; empty where it was not asked."""
    try:
        return str(json.loads((folder / VERDICT_FILE).read_text("utf-8"))["why"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a file that is still written to: the last line may be a part of one."""
    lines = []
    for line in path.read_text("utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def _written_at(path: Path) -> float:
    return path.stat().st_mtime
