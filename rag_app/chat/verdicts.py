"""What stands behind a figure of an answer: a passage, an XBRL fact, a calculation, or nothing."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace

from rag_app.chat.claims import Claim
from rag_app.chat.derived import Derivation, derive
from rag_app.chat.evidence import Entry
from rag_app.chat.figures import shows
from rag_app.chat.matching import (
    CLEARLY,
    FIT,
    SURE,
    fit,
    rounds_to,
    same_period,
    same_role,
    same_unit,
    same_value,
)
from rag_app.records import Citation, Fact, Figure

MAX_SAID = 160
"""Characters of what a badge quotes."""

MIN_VERBATIM = 20
"""Characters that a sentence has to have for its words alone to say where it stands."""
_WORD = re.compile(r"[(−–-]?[$€£¥]?\(?\d+(?:[.,]\d+)*\)?%?|[^\W\d_]+")
_SPREAD = re.compile(r"([$€£¥])\s+(?=[\d(])|\s+(?=%)")
_SCALED = re.compile(r"(?:thousand|million|billion|trillion|per ?cent|percentage|basis)\b")

Fitting = list[tuple[float, Entry]]


def verdict(
    claim: Claim,
    shown: Sequence[Entry],
    known: Sequence[Entry],
    citations: Sequence[Citation],
) -> Figure:
    """The verdict on one claim, by the first of the rules in ``docs/figures.md`` that holds.

    ``shown`` are the entries of the cited passages, those that the sentence cites first;
    ``known`` those of their filings' XBRL facts.
    """
    text = claim.number.text
    quoted = next((c.marker for c in citations if _verbatim(claim.sentence, c.text)), None)
    if quoted:
        return Figure(text, quoted, "in passage", "the sentence stands there word for word")
    if not claim.readings and not claim.whole:  # "It was $5 million.": look for the number alone
        showing = (c.marker for c in citations if shows(c.text, claim.number))
        marker = next(showing, None)
        if marker is None:
            return Figure(text, None, "not found", "")
        return Figure(text, marker, "in passage", "the sentence does not say what it measures")
    claim = _as_read(claim, shown, known)
    ranked = _fitting(claim, shown)
    right = [(score, entry) for score, entry in ranked if same_value(claim, entry)]
    best = max((score for score, entry in ranked if not entry.prose), default=0.0)
    for score, entry in right:
        if score >= FIT and (score >= best - CLEARLY or _as_sure(claim, entry, ranked, score)):
            return Figure(text, entry.marker, "in passage", _place(entry))
    facts = _fitting(claim, known)
    top = facts[0][0] if facts else 0.0
    for score, entry in facts:
        if score >= max(FIT, top - CLEARLY, best - CLEARLY) and same_value(claim, entry):
            assert entry.fact
            return Figure(text, None, "equals XBRL", fact_said(entry.fact))
    derivation = derive(claim, shown) or derive(claim, known)
    if derivation and derivation.holds:
        return Figure(text, derivation.marker, "derived", derivation.said)
    return _against(claim, ranked, facts, derivation)


def _as_read(claim: Claim, shown: Sequence[Entry], known: Sequence[Entry]) -> Claim:
    """The claim with its first reading that anything shown, or else known, speaks of."""
    for words in claim.readings:
        read = replace(claim, readings=(words,))
        if any(same_unit(read, each) and fit(read, each) >= FIT for each in (*shown, *known)):
            return read
    return claim


def _fitting(claim: Claim, entries: Sequence[Entry]) -> Fitting:
    """The entries that speak of what the claim does, with their fit, the best first."""
    found = [
        (score, entry)
        for entry in entries
        if same_unit(claim, entry)
        and same_role(claim, entry)
        and same_period(claim, entry)
        and (score := fit(claim, entry)) > 0
    ]
    return sorted(found, key=lambda pair: -pair[0])


def _as_sure(claim: Claim, entry: Entry, ranked: Fitting, score: float) -> bool:
    """Whether prose that shows the value is not outdone by rows that merely share more words."""
    return (
        entry.prose
        and score >= SURE
        and not any(
            not other.prose and rank >= 1.0 and not rounds_to(claim, other)
            for rank, other in ranked
        )
    )


def _against(
    claim: Claim, ranked: Fitting, facts: Fitting, derivation: Derivation | None
) -> Figure:
    """Contradicted, where something surely speaks of the same and says another value."""
    text = claim.number.text
    if derivation and derivation.sure:
        return Figure(text, derivation.marker, "contradicted", derivation.said)
    for score, entry in (*ranked, *facts):
        if score < SURE or not claim.periods or not entry.periods or rounds_to(claim, entry):
            continue
        if entry.prose and score < 0.95:
            continue
        said = fact_said(entry.fact) if entry.fact else _place(entry)
        return Figure(text, entry.marker, "contradicted", said)
    return Figure(text, None, "not found", "")


def _place(entry: Entry) -> str:
    said = entry.title if entry.prose else f"{entry.title}: {entry.text}"
    return textwrap.shorten(said, MAX_SAID, placeholder=" …")


def fact_said(fact: Fact) -> str:
    """A fact in a line: ``us-gaap:Revenues 26974000000 USD, 2022-01-31 to 2023-01-29``."""
    start = f"{fact.period_start} to " if fact.period_start else "at "
    members = "".join(f", {member}" for _, member in fact.dimensions)
    unit = fact.unit.rpartition(":")[2]
    return f"{fact.concept} {fact.value} {unit}, {start}{fact.period_end}{members}"


def _verbatim(sentence: str, passage: str) -> bool:
    """Whether a passage says a sentence in its words and its numbers, sign and unit included."""
    words, shown = _squeezed(sentence), _squeezed(passage)
    at = shown.find(words)
    if len(words) <= MIN_VERBATIM or at < 0:
        return False
    goes_on = shown[at + len(words) :].lstrip()
    return not (words.rstrip()[-1].isdigit() and _SCALED.match(goes_on))


@functools.lru_cache(maxsize=256)  # each claim of an answer asks every cited passage
def _squeezed(text: str) -> str:
    """The words and numbers of a text, a blank around each: ``" was $26,974 million "``."""
    words = _WORD.findall(_SPREAD.sub(r"\1", text))
    return f" {' '.join(words).lower()} "
