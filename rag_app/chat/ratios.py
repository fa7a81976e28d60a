"""A question about a margin or a share of revenue → the two amounts that it divides."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag_app.chat.claims import Claim
from rag_app.chat.figures import all_numbers
from rag_app.chat.labels import WEAK, label_words
from rag_app.chat.periods import periods_in, without_periods

_MARGIN = re.compile(
    r"\b(?P<kind>operating|net|gross|profit)\s+(?:profit\s+|income\s+)?margins?\b", re.IGNORECASE
)
_SHARE = re.compile(
    r"(?P<part>.+?)\s+as a (?:share|percentage|percent|portion) of (?:its |total |net )*"
    r"(?:revenues?|sales)\b",
    re.IGNORECASE,
)
_RATE = re.compile(r"%|\bpercent|\bratio\b|\bprofit margin", re.IGNORECASE)
_PARTS = {
    "operating": ("operating income",),
    "net": ("net income",),
    "profit": ("net income",),
    "gross": ("gross profit", "gross margin"),
}
"""What a margin divides by revenue, under the names that filings give it."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share of revenue: what it is called, and the claims on what is divided by what."""

    title: str
    part: Claim
    whole: Claim


def ratio_asked(question: str, names: frozenset[str]) -> Ratio | None:
    """The ratio that a question asks for; ``names`` are words of the company's name.

    A "gross margin" alone is an amount in many filings, so that is none.
    """
    if found := _MARGIN.search(question):
        kind = found["kind"].lower()
        if kind == "gross" and not _RATE.search(question):
            return None
        readings, said = tuple(map(label_words, _PARTS[kind])), _PARTS[kind][0]
        title = found[0][:1].upper() + found[0][1:]
    elif found := _SHARE.search(question):
        words = label_words(without_periods(found["part"])) - names
        if not words - WEAK:
            return None
        readings, said, title = (words,), found["part"], "The share of revenue"
    else:
        return None
    revenue = _claim(question, "total revenue", (label_words("revenue"),))
    return Ratio(title, _claim(question, said, readings), revenue)


def other_margin(question: str, text: str) -> bool:
    """Whether a text speaks of margins, and only of other kinds than a question asks for."""
    asked = _MARGIN.search(question)
    kinds = {_kind(found["kind"]) for found in _MARGIN.finditer(text)}
    return bool(asked and kinds and _kind(asked["kind"]) not in kinds)


def _kind(word: str) -> str:
    return "net" if word.lower() == "profit" else word.lower()


def _claim(question: str, said: str, readings: tuple[frozenset[str], ...]) -> Claim:
    """A claim on an amount of the question's periods; ``said`` is what to search it by."""
    periods = tuple(periods_in(question))
    dates = " ".join(question[period.start : period.end] for period in periods)
    number = all_numbers("1")[0]
    return Claim(number, f"{said} {dates}".rstrip(), readings, frozenset(), periods)
