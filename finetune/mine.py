"""Hard negatives: wrong passages that a retriever takes for right ones.

sentence-transformers' ``mine_hard_negatives`` is not used: it gives texts without their rows,
knows no BM25, drops the pairs for which it finds too few, and keeps equal and nearly equal
passages away only where their scores happen to lie above its margin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eval.duplicates import duplicate_groups, normalised
from eval.rows import QaRow
from rag_app.errors import DataError
from rag_app.index.embedder import Embedder
from rag_app.index.lexical import lexical_of

POOL = 50
"""Candidates that each way of searching may propose for a question."""
CEILING = 0.95
"""Share of the right passage's score that a negative may have: NV-Retriever's TopK-PercPos
(de Souza P. Moreira et al. 2024), which keeps out most passages that are right unmarked."""
BLOCK = 512
"""Questions scored at a time."""

T = TypeVar("T")
Scores = NDArray[np.float32]
_Candidate = tuple[int, str, float]
"""Passage, who proposed it, its score."""


@dataclass(frozen=True, slots=True)
class Negative:
    """A wrong passage: the first row that has it as its context, who proposed it, and its score.

    ``by`` is ``dense`` (cosine), ``bm25``, or ``random`` where too few were hard (score 0).
    """

    row_id: str
    text: str
    by: str
    score: float


@dataclass(frozen=True, slots=True)
class _Pool:
    """The passages of the training rows, each once."""

    rows: tuple[QaRow, ...]
    """The first row of each passage."""
    groups: tuple[int, ...]
    """Equal for passages that are equal or near-duplicates."""
    position: Mapping[str, int]
    """Row id to its passage."""


def mine_negatives(
    rows: Sequence[QaRow],
    *,
    embedder: Embedder | None = None,
    lexical: bool = True,
    count: int = 4,
    ceiling: float = CEILING,
    seed: int = 42,
    on_progress: Callable[[int], None] = lambda done: None,
) -> dict[str, tuple[Negative, ...]]:
    """Row id → up to ``count`` wrong passages of other rows, hardest first; blank rows have none.

    ``rows`` are the training rows alone, so that no held-out passage is seen. With both an
    ``embedder`` and ``lexical`` the two take turns. No negative scores above ``ceiling`` times the
    right passage, by the embedder's cosine where there is one, else by BM25; none is equal or
    nearly equal to a right passage of the same question, nor to another negative of its row. Rows
    for which too little is hard get random passages, whatever their score. ``on_progress`` is told
    how many texts were encoded or questions searched since its last call.

    Raises:
        DataError: neither way of searching is wanted, or all rows have the same passage.
    """
    if embedder is None and not lexical:
        raise DataError("Hard negatives need a model, BM25 or both; none was asked for.")
    asked = [row for row in rows if row.question.strip() and row.context.strip()]
    pool = _pool(asked)
    if len(set(pool.groups)) < 2:
        raise DataError("All rows have the same passage, so that none is wrong; give more rows.")
    right = _right_groups(asked, pool)
    ways: list[tuple[str, Iterator[Scores]]] = []
    if embedder is not None:
        ways.append(("dense", _cosines(asked, pool, embedder, on_progress)))
    if lexical:
        ways.append(("bm25", _bm25(asked, pool, on_progress)))
    chance = random.Random(seed)
    mined = {}
    for row in asked:
        scores = [(by, next(found)) for by, found in ways]
        ranked = _hardest(scores, pool.position[row.id], ceiling)
        easy = chance.sample(range(len(pool.rows)), k=min(POOL, len(pool.rows)))
        mined[row.id] = _choose(
            pool,
            [*in_turn(ranked), *((at, "random", 0.0) for at in easy)],
            right[normalised(row.question)],
            count,
        )
    return mined


def negative_texts(mined: Mapping[str, Sequence[Negative]]) -> dict[str, tuple[str, ...]]:
    """Row id to the texts of its negatives, as ``build_pairs`` takes them."""
    return {row_id: tuple(one.text for one in found) for row_id, found in mined.items()}


def _pool(rows: Sequence[QaRow]) -> _Pool:
    first: dict[str, int] = {}
    kept: list[QaRow] = []
    position = {}
    for row in rows:
        at = first.setdefault(normalised(row.context) or row.context, len(kept))
        if at == len(kept):
            kept.append(row)
        position[row.id] = at
    return _Pool(tuple(kept), tuple(duplicate_groups([row.context for row in kept])), position)


def _right_groups(rows: Sequence[QaRow], pool: _Pool) -> dict[str, set[int]]:
    """Question to the groups of all passages that some row gives as its right one."""
    right: dict[str, set[int]] = {}
    for row in rows:
        group = pool.groups[pool.position[row.id]]
        right.setdefault(normalised(row.question), set()).add(group)
    return right


def _cosines(
    rows: Sequence[QaRow], pool: _Pool, embedder: Embedder, on_progress: Callable[[int], None]
) -> Iterator[Scores]:
    """The cosines of each row's question with all passages, in the order of the rows."""
    passages = embedder.encode_documents([row.context for row in pool.rows], on_progress)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        queries = embedder.encode_queries([row.question for row in block])
        on_progress(len(block))
        yield from queries @ passages.T


def _bm25(
    rows: Sequence[QaRow], pool: _Pool, on_progress: Callable[[int], None]
) -> Iterator[Scores]:
    """The BM25 scores of each row's question with all passages, in the order of the rows."""
    with lexical_of({str(at): row.context for at, row in enumerate(pool.rows)}) as index:
        for row in rows:
            yield index.scores(row.question)
            on_progress(1)


def _hardest(
    scores: Sequence[tuple[str, Scores]], right: int, ceiling: float
) -> list[list[_Candidate]]:
    """Each way's best candidates at or under the ceiling, which the first way judges."""
    judge = scores[0][1]
    # Of a score below zero 95% would be more than all of it.
    limit = judge[right] - (1 - ceiling) * abs(judge[right])
    ranked = []
    for by, found in scores:
        admitted = np.flatnonzero((judge <= limit) & (found > 0))
        best = admitted[np.argsort(-found[admitted], kind="stable")[:POOL]]
        ranked.append([(int(at), by, round(float(found[at]), 4)) for at in best])
    return ranked


def in_turn(rankings: Sequence[Sequence[T]]) -> Iterator[T]:
    """The first of each ranking, then the second of each, and so on."""
    for several in zip_longest(*rankings):
        yield from (one for one in several if one is not None)


def _choose(
    pool: _Pool, candidates: Sequence[_Candidate], right: set[int], count: int
) -> tuple[Negative, ...]:
    used = set(right)
    chosen: list[Negative] = []
    for at, by, score in candidates:
        if len(chosen) < count and pool.groups[at] not in used:
            used.add(pool.groups[at])
            chosen.append(Negative(pool.rows[at].id, pool.rows[at].context, by, score))
    return tuple(chosen)
