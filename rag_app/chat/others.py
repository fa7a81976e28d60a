"""Tables whose figures are not the company's totals: of investees, of a plan, of one account."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_app.chat.labels import label_words

_OTHERS = (
    "equity method",
    "pro forma",
    "parent company",
    "guarantor",
    "plan assets",
    "deferred revenue",
    "variable interest",
    "unconsolidated",
)
"""What a heading or caption says over such a table, and over no statement of the company."""
_NAMED = re.compile(rf"\b(?:{'|'.join(map(re.escape, _OTHERS))})", re.IGNORECASE)
_NOTES = re.compile(r"\bnotes? (?:to|\d+)\b", re.IGNORECASE)


def other_of(texts: Sequence[str], asked: frozenset[str] = frozenset()) -> str:
    """The first of headings and captions that tells that a table is about others; else nothing.

    Not where the question itself names them: ``asked`` are its words.
    """
    for text in texts:
        named = _NAMED.search(text)
        if named and not label_words(named[0]) <= asked:
            return text
    return ""


def in_notes(path: str) -> bool:
    """Whether a heading path leads to a note, not to a primary statement or MD&A."""
    return bool(_NOTES.search(path))
