"""Wrong chunks beside a right one, from the same company's filings: hard negatives as served."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from eval.rows import QaRow
from finetune.mine import CEILING, POOL, in_turn
from finetune.shelf import Shelf
from rag_app.chat.figures import Number, numbers_in, shows


@dataclass(frozen=True, slots=True)
class Gap:
    """A row, the chunk that is right for it, and all chunks that hold its context anywhere."""

    row: QaRow
    right: str
    holding: frozenset[str]


def wrong_chunks(gap: Gap, shelf: Shelf, count: int, seed: int) -> tuple[str, ...]:
    """Ids of up to ``count`` wrong chunks, the kinds of ``KINDS`` in turn.

    A chunk that shows every figure of the answer, or of the context, is never called wrong. Where
    neither has a figure nothing tells a second right chunk from a wrong one but its score: it may
    have ``CEILING`` times the right chunk's BM25 score. Chunks of the filing drawn by chance fill
    up what the kinds leave open.
    """
    chance = random.Random(f"{seed}:{gap.row.id}:{gap.right}")
    kinds = [list(kind(gap, shelf, chance)) for kind in KINDS.values()]
    others = shelf.chunk_ids[shelf.filing_of[gap.right]]
    rest = chance.sample(others, k=min(POOL, len(others)))
    wrong: list[str] = []
    for chunk_id in [*in_turn(kinds), *rest]:
        if len(wrong) == count:
            break
        if chunk_id not in wrong and not _may_answer(gap, shelf, chunk_id):
            wrong.append(chunk_id)
    return tuple(wrong)


def figures_of(row: QaRow) -> list[list[Number]]:
    """The figures of a row's answer and of its context, those that there are."""
    return [figures for text in (row.answer, row.context) if (figures := numbers_in(text))]


def shows_all(passage: str, figures: Iterable[Number]) -> bool:
    """Whether a passage shows each of the figures."""
    return all(shows(passage, figure) for figure in figures)


def _may_answer(gap: Gap, shelf: Shelf, chunk_id: str) -> bool:
    text = shelf.texts[chunk_id]
    return (
        chunk_id in gap.holding
        or text == shelf.texts[gap.right]
        or any(shows_all(shelf.shown(chunk_id), figures) for figures in figures_of(gap.row))
    )


def _bm25(gap: Gap, shelf: Shelf, chance: random.Random) -> Iterator[str]:
    """BM25's top hits of the question in the same filing."""
    among = set(shelf.chunk_ids[shelf.filing_of[gap.right]])
    hits = shelf.lexical.query(gap.row.question, POOL, among)
    limit = float("inf")
    if not figures_of(gap.row):
        limit = CEILING * dict(hits).get(gap.right, 0.0)
    return (chunk_id for chunk_id, score in hits if score <= limit)


def _same_item(gap: Gap, shelf: Shelf, chance: random.Random) -> list[str]:
    """Other chunks of the same Item of the same filing, by chance."""
    item = shelf.item_of[gap.right]
    beside = shelf.chunk_ids[shelf.filing_of[gap.right]]
    same = [chunk_id for chunk_id in beside if shelf.item_of[chunk_id] == item]
    return chance.sample(same, k=min(POOL, len(same)))


def _other_year(gap: Gap, shelf: Shelf, chance: random.Random) -> list[str]:
    """The same table or paragraph of another filing: BM25's best hits for the right chunk itself.

    Only where figures tell the two apart: text that stayed as it was answers as well.
    """
    if not figures_of(gap.row):
        return []
    key = shelf.filing_of[gap.right]
    elsewhere = {
        chunk_id
        for other, chunk_ids in shelf.chunk_ids.items()
        for chunk_id in chunk_ids
        if other != key and shelf.item_of[chunk_id] == shelf.item_of[gap.right]
    }
    if not elsewhere:
        return []
    return [id_ for id_, _ in shelf.lexical.query(shelf.passages[gap.right], 3, elsewhere)]


KINDS: dict[str, Callable[[Gap, Shelf, random.Random], Iterable[str]]] = {
    "bm25": _bm25,
    "same Item": _same_item,
    "other year": _other_year,
}
