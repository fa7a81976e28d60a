"""Candidates of dense search and BM25, and how their scores become one order, ties by chunk id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_app.index.embedder import Vectors

Scores = NDArray[np.float64]

DENSE_SHARE = 0.6
"""Best on the development companies, see eval/NOTES.md; ``eval fuse`` chooses it for a model."""
SCALE = 20.0
"""BM25 points that a cosine of 1 is worth at equal shares.

A contrastive loss of scale 20 makes 20 times the cosine the log-odds that a passage is the right
one, up to a constant; BM25 estimates log-odds too (Robertson and Zaragoza 2009, "The Probabilistic
Relevance Framework"). So they are added as they are, and an order depends on no other candidate.
"""
BLOCKS = 8
"""Blocks a row that is wanted: more of them keep fewer rows, fewer are read faster."""
DECIMALS = 6
"""Cosines and scores are compared so far: below that, rounding would order equal texts."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates of a question in the order of their ids, each with both scores.

    ``vectors`` are (n, width) as stored, ``cosines`` and ``bm25`` (n,). A candidate that one side
    alone brought in has its true score of the other side too.
    """

    ids: tuple[str, ...]
    vectors: Vectors
    cosines: Scores
    bm25: Scores


def fuse(pool: Pool, dense_share: float = DENSE_SHARE) -> Scores:
    """The weighted sum of both scores, (n,); a share of 0 is BM25 alone, of 1 dense search alone.

    A convex combination beats fusion by ranks, which forgets by how much a passage leads (Bruch,
    Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval").
    """
    return dense_share * SCALE * pool.cosines + (1 - dense_share) * pool.bm25


def best_first(ids: Sequence[str], scores: Scores) -> list[int]:
    """Rows in the order of their scores, the highest first; equal scores go by id."""
    compared = np.round(scores, DECIMALS)
    return sorted(range(len(ids)), key=lambda row: (-compared[row], ids[row]))


def top_rows(scores: NDArray[np.floating], n: int) -> NDArray[np.intp]:
    """The rows of the n highest scores, in the order of rows, and all that equal the last."""
    if n >= len(scores):
        return np.arange(len(scores))
    rows: NDArray[np.intp] = np.flatnonzero(scores >= _reached(scores, n))
    least = np.partition(scores[rows], len(rows) - n)[len(rows) - n]
    best: NDArray[np.intp] = rows[scores[rows] >= least]
    return best


def _reached(scores: NDArray[np.floating], n: int) -> float:
    """A score that at least n rows have, and few more: the n-th highest of the maxima of blocks.

    Reading a million scores twice takes a tenth of partitioning them.
    """
    size = len(scores) // (BLOCKS * n)
    if size < 2:
        return -np.inf
    whole = len(scores) // size * size
    highest = scores[:whole].reshape(-1, size).max(axis=1)
    return float(np.partition(highest, len(highest) - n)[len(highest) - n])
