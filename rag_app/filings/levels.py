"""Offsets at which a table's row labels begin → their levels, and how a level is written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

INDENT = "\u00a0\u00a0"
"""Stands before a row's label once a level: it is blank to every tokenizer and to ``strip``."""
MAX_LEVELS = 6
MIN_STEP = 2.5
"""Points that part two levels; less is a crooked print or a rounded style."""


def label_levels(offsets: Sequence[float | None], figured: Sequence[bool]) -> list[int]:
    """The level of each row's label: how many offsets in the table lie further to the left.

    ``offsets`` are in points, None where a row has no label. A label without figures that stands
    further in than all those with figures is centred: it has level 0.
    """
    deepest = max((at for at, has in zip(offsets, figured, strict=True) if has and at), default=0.0)
    counted = [at if at is not None and at <= deepest else None for at in offsets]
    steps: list[float] = []
    for at in sorted({at for at in counted if at is not None}):
        if not steps or at - steps[-1] >= MIN_STEP:
            steps.append(at)
    return [0 if at is None else min(bisect_right(steps, at) - 1, MAX_LEVELS) for at in counted]


def level_of(row: str) -> int:
    """The level of a row of a table as it is stored: ``| \u00a0\u00a0Cash | 3,389 |`` has 1."""
    label = row.lstrip().removeprefix("| ")
    return (len(label) - len(label.lstrip("\u00a0"))) // len(INDENT)
