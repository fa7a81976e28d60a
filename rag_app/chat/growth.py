"""Quote mode: a question about a change is answered by an expression over two figures of a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_app.chat.claims import Claim, ends_of
from rag_app.chat.derived import earlier_text, pairs
from rag_app.chat.evidence import Entry
from rag_app.chat.figures import all_numbers
from rag_app.chat.labels import WEAK, label_words
from rag_app.chat.periods import Period, periods_in

_ASKED = re.compile(
    r"\b(?:grow(?:th|n)?|grew|(?:in|de)creas\w+|chang\w+|declin\w+|r(?:ise|ose)|f(?:all|ell))\b",
    re.IGNORECASE,
)


def growth_line(question: str, entries: Sequence[Entry], names: frozenset[str]) -> str | None:
    """``Revenue changed by {{(26,974 - 26,914) / 26,914 %}} from 2022 to 2023 [1].``

    ``names`` are words of the company's name. None where the question asks for no change, or no
    row of the passages fits it with figures of two periods.
    """
    words = label_words(question) - names
    if not _ASKED.search(question) or not words - WEAK:
        return None
    periods = ends_of(periods_in(question))
    number = all_numbers("1%")[0]
    claim = Claim(number, question, (words,), frozenset(), periods, change=True)
    amounts = [e for e in entries if e.unit == "amount" and not (e.change or e.prose)]
    for _, old, new in sorted(pairs(claim, amounts), key=lambda pair: -pair[0]):
        if old.amount > 0:
            was, now = earlier_text(old), earlier_text(new)
            ends = f"from {said_period(old.periods[0])} to {said_period(new.periods[0])}"
            return (
                f"{new.title} changed by {{{{({now} - {was}) / {was} %}}}} {ends} [{new.marker}]."
            )
    return None


def said_period(period: Period) -> str:
    """A period in words: a year, a month or a day."""
    day = period.date
    if not day:
        return str(period.year)
    return f"{day:%B} {day.day}, {day.year}" if period.day_named else f"{day:%B %Y}"
