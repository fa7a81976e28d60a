"""The JSON of ``eval stages``, as the report page reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from eval.files import read_text
from eval.systems import label
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class Stage:
    """Base beside tuned at one stage; ``low`` and ``high`` bound the 95% interval of the gain."""

    label: str
    base: float
    tuned: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """Tuned less base."""
        return self.tuned - self.base


def read_stages(path: Path) -> list[Stage]:
    """Read ``{"stages": [{"name", "base", "tuned", "interval": [low, high]}]}``, in order.

    A stage may also say its ``system`` and ``metric``, which its label then names.

    Raises:
        DataError: the file is missing, has another form, or holds no stage.
    """
    try:
        stages = [
            Stage(
                label=_label(row),
                base=float(row["base"]),
                tuned=float(row["tuned"]),
                low=float(row["interval"][0]),
                high=float(row["interval"][1]),
            )
            for row in json.loads(read_text(path))["stages"]
        ]
    except (ValueError, KeyError, TypeError, IndexError):
        stages = []
    if not stages:
        raise DataError(f"{path} holds no stages; write it with `python -m eval stages --out`.")
    return stages


def _label(row: dict[str, object]) -> str:
    name, system = str(row["name"]), label(str(row.get("system") or ""))
    parts = [system if name.lower() in system.lower() else f"{name} {system}".strip()]
    if row.get("metric"):
        parts.append(str(row["metric"]))
    return ", ".join(parts)
