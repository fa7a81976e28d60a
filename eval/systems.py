"""Names of what is scored in one report: ``128``, ``128|filter``, ``bm25``, ``pca@128`` ….

A system is a retriever: the reported model at a dimension bears the bare number, a baseline its
name and, where it has one, its dimension. ``|filter``: the same within the question's company.
"""

from __future__ import annotations

from collections.abc import Iterable

FILTER = "|filter"


def system_name(kind: str, dim: int) -> str:
    """``128`` for the reported model (an empty kind), ``pca@128`` for a baseline."""
    return f"{kind}@{dim}" if kind else str(dim)


def label(system: str) -> str:
    """As tables show it, in which the bar would begin a column: ``128, filter``."""
    return system.replace(FILTER, f", {FILTER[1:]}")


def is_model(system: str) -> bool:
    """Whether it is the reported model at a dimension, with a filter or without."""
    return system.removesuffix(FILTER).isdigit()


def ordered(systems: Iterable[str]) -> tuple[str, ...]:
    """Without the filter first; there the model widest first, then each baseline likewise."""
    return tuple(sorted(systems, key=_place))


def _place(system: str) -> tuple[bool, str, int]:
    name = system.removesuffix(FILTER)
    kind, _, dim = name.rpartition("@")
    if not dim.isdigit():
        kind, dim = name, "0"
    return name != system, kind, -int(dim)
