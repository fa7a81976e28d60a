"""The two searches of the compare page: as the chat's, and kept until something changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from rag_app.answer import QUOTE_MODE
from rag_app.index.balanced import asked_of, retriever_of
from rag_app.index.retriever import served_retriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Answer
from rag_app.ui import state
from rag_app.ui.sidebar import Scope
from rag_app.ui.state import Message

WAYS = {"Dense and BM25": True, "Dense alone": False}
"""What the page calls it → whether BM25 takes part."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two retrievers.

    It stands here because a page's own file is run anew each time: its classes would be others
    than those that are kept.
    """

    model: str
    dim: int
    fused: bool

    def __str__(self) -> str:
        """What stands above its hits: ``minilm at 64 dimensions, dense alone``."""
        way = next(name for name, fused in WAYS.items() if fused == self.fused)
        return f"{self.model} at {self.dim} dimensions, {way[0].lower()}{way[1:]}"


def searched(question: str, sides: Sequence[Side], scope: Scope, k: int) -> list[Message]:
    """The hits of both sides; kept until the question, a side, the filters or an index change.

    Raises:
        RagError: a side has no index and none can be built, or the filters admit nothing.
    """
    snapshots = [state.snapshot(side.model, side.dim) for side in sides]
    what = (question, tuple(sides), scope, k, tuple(each.folder for each in snapshots))
    kept = st.session_state.get("compared")
    if kept is None or kept[0] != what:
        with st.spinner("Searching on both sides ..."):
            found = [
                _search(question, side, snapshot, scope, k)
                for side, snapshot in zip(sides, snapshots, strict=True)
            ]
        kept = st.session_state["compared"] = (what, found)
    messages: list[Message] = kept[1]
    return messages


def _search(question: str, side: Side, snapshot: Snapshot, scope: Scope, k: int) -> Message:
    """What the chat would find, as a message without an answer: marks are kept of such."""
    settings = state.settings().model_copy(update={"lexical": side.fused})
    began = time.perf_counter()
    asked = asked_of(snapshot, question, scope.filters, by_itself=scope.auto_filter)
    retriever = served_retriever(snapshot, settings, scope.filters, k)
    hits = retriever_of(retriever, asked).retrieve(question)
    answer = Answer(
        text="",
        citations=(),
        figures=(),
        hits=tuple(hits),
        model=snapshot.passport.model,
        dim=snapshot.passport.dim,
        llm=QUOTE_MODE,
        # Not rounded: the time tells two searches by one model and dimension apart.
        timings_ms={"retrieve": 1000 * (time.perf_counter() - began)},
        searched_for=question,
        filters=asked.filters,
    )
    return Message(question, question, asked.filters, answer, asked=asked)
