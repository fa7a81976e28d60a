"""A message of a conversation: what was asked, where it was searched, and what it got."""

from __future__ import annotations

from dataclasses import dataclass

from rag_app.index.asked import Asked
from rag_app.records import Answer, Filters


@dataclass(frozen=True, slots=True)
class Message:
    """A question, and its answer or the one sentence that says why there is none."""

    question: str
    searched_for: str
    filters: Filters
    answer: Answer | None
    error: str = ""
    asked: Asked | None = None
    """Where it was searched; none where that could not be told."""
    details: str = ""
    """Of an error: what tells it from another in the program's log."""
