"""Which questions say nearly the same, by the cosine of their vectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eval.duplicates import normalised, root
from eval.rows import QaRow
from rag_app.index.embedder import Vectors

NOISE = 1e-6
"""Of float32: equal questions may come out a little under 1."""
BLOCK_ROWS = 1024
"""Rows compared with all later ones at once: 28 MB of cosines for 7,000 questions."""


@dataclass(frozen=True, slots=True)
class SimilarGroup:
    """Rows whose questions are joined by a chain of cosines of the threshold or more.

    ``lowest`` and ``highest`` are of the joining cosines: two rows at the far ends of a chain may
    lie below ``lowest``. ``contexts`` counts the distinct ones: above 1, one question has several
    right passages, and a set with one gold a question counts the others as wrong.
    """

    rows: tuple[QaRow, ...]
    lowest: float
    highest: float
    contexts: int

    @property
    def companies(self) -> tuple[str, ...]:
        """The tickers of its rows, sorted."""
        return tuple(sorted({row.ticker for row in self.rows}))


def similar_pairs(
    vectors: Vectors, threshold: float, block_rows: int = BLOCK_ROWS
) -> Iterator[tuple[int, int, float]]:
    """Pairs of rows (the first below the second) of unit vectors, and their cosine.

    Exact, to the sixth decimal. Memory grows with n times ``block_rows``, not with n².
    """
    count = len(vectors)
    for start in range(0, count, block_rows):
        block = vectors[start : start + block_rows]
        cosines = block @ vectors[start:].T
        ones, others = np.nonzero(cosines >= threshold - NOISE)
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            if other > one:
                yield start + one, start + other, float(cosines[one, other])


def similar_groups(rows: Sequence[QaRow], vectors: Vectors, threshold: float) -> list[SimilarGroup]:
    """Groups of two or more rows, the largest first, then by their first row.

    Row i of ``vectors`` is the question of ``rows[i]``.
    """
    parents = list(range(len(rows)))
    bounds: dict[int, tuple[float, float]] = {}

    for one, other, cosine in similar_pairs(vectors, threshold):
        low, high = sorted((root(parents, one), root(parents, other)))
        known = [bounds.pop(place) for place in {low, high} if place in bounds]
        parents[high] = low
        bounds[low] = (
            min(cosine, *(bound[0] for bound in known)) if known else cosine,
            max(cosine, *(bound[1] for bound in known)) if known else cosine,
        )
    members: dict[int, list[QaRow]] = defaultdict(list)
    for place, row in enumerate(rows):
        members[root(parents, place)].append(row)
    groups = [
        SimilarGroup(
            rows=tuple(members[place]),
            lowest=low,
            highest=high,
            contexts=len({normalised(row.context) for row in members[place]}),
        )
        for place, (low, high) in sorted(bounds.items())
    ]
    return sorted(groups, key=lambda group: -len(group.rows))
