"""Hits of a comparison: every filing that is asked about gets its share of them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle

from rag_app.index.asked import Asked, read_asked
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters

MIN_OF_SIDE = 2
"""Hits that each side has, for which more than k are given if need be."""


class BalancedRetriever(BaseRetriever):
    """Retrieves from each side by itself, and takes the hits in turns.

    The best hit of every side comes first, then the second of every side; within a turn the higher
    score goes first. ``metadata["rank"]`` counts in this order. A side that has too few, or lacks
    the Item that is asked for, leaves its turns to the others.
    """

    def __init__(self, retriever: FilingsRetriever, sides: Sequence[Filters]) -> None:
        super().__init__()
        admitted = retriever.snapshot.admitted_chunks
        self._sides = [side for side in sides if not side.item or admitted(side)] or sides
        self._wanted = max(retriever.k, MIN_OF_SIDE * len(sides))
        self._retriever = retriever

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The hits of all sides, in turns.

        Raises:
            LibraryError: as ``FilingsRetriever``, for any side.
        """
        found = [
            within(self._retriever, side, self._wanted).retrieve(query_bundle)
            for side in self._sides
        ]
        turns = itertools.zip_longest(*found)
        hits = [
            hit
            for turn in turns
            for hit in sorted(filter(None, turn), key=lambda each: -(each.score or 0.0))
        ]
        for rank, hit in enumerate(hits[: self._wanted], start=1):
            hit.node.metadata["rank"] = rank
        return hits[: self._wanted]


def asked_of(snapshot: Snapshot, question: str, explicit: Filters, *, by_itself: bool) -> Asked:
    """What a question asks of the filings that are indexed, see ``read_asked``."""
    opened = snapshot.opened

    def has_item(item: str) -> bool:
        return any(item in opened.items(key).values() for key in opened.covers)

    def is_in_text(word: str) -> bool:
        return bool(snapshot.lexical.query(word, 1))

    return read_asked(
        question,
        opened.covers.values(),
        explicit,
        by_itself=by_itself,
        has_item=has_item,
        is_in_text=is_in_text,
    )


def retriever_of(retriever: FilingsRetriever, asked: Asked) -> BaseRetriever:
    """The retriever with what is asked as its filters; balanced where sides are compared."""
    if asked.sides:
        return BalancedRetriever(retriever, asked.sides)
    return within(retriever, asked.filters, retriever.k)


def within(retriever: FilingsRetriever, filters: Filters, k: int) -> FilingsRetriever:
    """The same retriever, asked of other filings and for another number of hits."""
    other = copy.copy(retriever)
    other.filters, other.k = filters, k
    return other
