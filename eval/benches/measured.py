"""What a row of the bench measured: the figures of each side, and the aims they are held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure and the limit that it is to keep: at least it, or ``at_most``."""

    what: str
    figure: float
    limit: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps the limit."""
        return self.figure <= self.limit if self.at_most else self.figure >= self.limit

    def __str__(self) -> str:
        side = "at most" if self.at_most else "at least"
        verdict = "met" if self.met else "**missed**"
        return f"{self.what} {shown(self.figure)}, {side} {shown(self.limit)}: {verdict}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: ``sides`` maps a column to its figures, each with its unit in the name.

    ``what`` is a sentence that says what was run and on how much; ``note`` whatever else a reader
    needs.
    """

    what: str
    sides: dict[str, dict[str, float]]
    aims: tuple[Aim, ...]
    note: str = ""

    def markdown(self) -> str:
        """The sentence, the table, the aims."""
        names = list(dict.fromkeys(name for side in self.sides.values() for name in side))
        table = [
            f"| | {' | '.join(self.sides)} |",
            f"|---|{'---:|' * len(self.sides)}",
            *(
                f"| {name} | "
                + " | ".join(
                    shown(side[name]) if name in side else "" for side in self.sides.values()
                )
                + " |"
                for name in names
            ),
        ]
        aims = [f"- {aim}" for aim in self.aims]
        parts = [self.what, "\n".join(table), "\n".join(aims), self.note]
        return "\n\n".join(part for part in parts if part)

    def record(self) -> dict[str, Any]:
        """The same as JSON."""
        aims = [
            {
                "what": aim.what,
                "figure": aim.figure,
                "limit": aim.limit,
                "at_most": aim.at_most,
                "met": aim.met,
            }
            for aim in self.aims
        ]
        return {"what": self.what, "sides": self.sides, "aims": aims, "note": self.note}


def shown(figure: float) -> str:
    """A figure for reading: whole from a thousand on, else four digits, as many as tell something.

    A share of .9999 stays one: it is not rounded to 1.
    """
    if abs(figure) >= 1000 or figure == int(figure):
        return f"{figure:,.0f}"
    if 0.99 <= abs(figure) < 1:
        return f"{figure:.6f}".rstrip("0")
    return f"{figure:.3g}" if abs(figure) < 100 else f"{figure:.1f}"
