"""Figures that nobody prints: growth, differences, shares, ratios and sums, recomputed in code."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag_app.chat.claims import Claim
from rag_app.chat.evidence import Entry
from rag_app.chat.labels import WEAK, label_words
from rag_app.chat.matching import CLEARLY, FIT, SURE, close, fit
from rag_app.chat.periods import Period, agree

FULL_YEAR = 12
"""Months of a period whose head does not say how long it lasts."""

_TIMES = re.compile(r"^\s*(?:x\b|times\b)", re.IGNORECASE)
_RATIO = re.compile(r"\bratio of (?P<part>.+?) to (?P<whole>.+?)(?:\bwas\b|\bis\b|$)", re.I)
_SHARE_OF = re.compile(r"\bas a (?:share|percentage|percent|portion) of\s+(?P<rest>.+)$", re.I)
_SUM = re.compile(r"\b(?:sum of|combined|together|altogether|in total)\b", re.IGNORECASE)
_REVENUE = frozenset({"revenu"})


@dataclass(frozen=True, slots=True)
class Derivation:
    """A calculation from shown operands: whether its result is the claim's, and how it reads.

    ``sure`` tells that the operands are without doubt those that the claim means.
    """

    holds: bool
    sure: bool
    said: str
    marker: int | None


def derive(claim: Claim, entries: Sequence[Entry]) -> Derivation | None:
    """Recompute a claim; None where the operands are not shown.

    Of several ways to compute it, one that gives the claim's figure goes first.
    """
    ways = list(_changes(claim, entries) if claim.change else _shares(claim, entries))
    return next((way for way in ways if way.holds), ways[0] if ways else None)


def _changes(claim: Claim, entries: Sequence[Entry]) -> Iterator[Derivation]:
    """Growth in per cent, a difference of amounts, or of percentages in points."""
    unit = claim.number.unit
    of = [e for e in entries if not e.change and not e.prose]
    of = [e for e in of if (e.unit in ("%", "%?", "")) == (unit == "points") or e.unit == ""]
    for score, earlier, later in pairs(claim, of):
        old, new = earlier.value, later.value
        if unit == "%":
            if old == 0:
                continue
            result = 100 * (new - old) / abs(old)
            below = (
                f"({abs(earlier.amount):,.{earlier.decimals}f})"
                if old < 0
                else earlier_text(earlier)
            )
            said = (
                f"({earlier_text(later)} − {earlier_text(earlier)}) / {below} = {_signed(result)}%"
            )
        else:
            result = later.amount - earlier.amount if unit == "points" else new - old
            shown = f"{result:,.1f} points" if unit == "points" else f"{result:,.10g}"
            if unit != "points" and later.scale == earlier.scale:
                shown = f"{later.amount - earlier.amount:,.10g}"
            said = f"{earlier_text(later)} − {earlier_text(earlier)} = {shown.replace('-', '−')}"
        near = close(claim, abs(result))
        if unit not in ("%", "points") and claim.number.scale == 1.0:
            # As a level may, a difference may repeat the digits of a table in millions.
            near = near or (
                later.scale == earlier.scale and close(claim, abs(result / later.scale))
            )
        holds = near and _turned(claim, result)
        sure = score >= SURE and bool(claim.periods)
        yield Derivation(holds, sure, f"{later.title}: {said}", later.marker)


def _turned(claim: Claim, result: float) -> bool:
    """Whether the words go the way the figures went; a minus sign turns them."""
    if result == 0:
        return True
    if claim.direction == 0:
        return claim.negative == (result < 0) or not claim.negative
    rises = (claim.direction > 0) != (claim.negative and claim.direction > 0)
    return rises == (result > 0)


def pairs(claim: Claim, entries: Sequence[Entry]) -> Iterator[tuple[float, Entry, Entry]]:
    """Two figures of one row, the earlier first, of the rows that fit the claim best."""
    scored = [(score, entry) for entry in entries if (score := fit(claim, entry)) >= FIT]
    best = max((score for score, _ in scored), default=0.0)
    rows: dict[object, list[tuple[float, Entry]]] = {}
    for score, entry in scored:
        if score >= best - CLEARLY and entry.periods:
            # A head "Year ended May 31, 2023" may have "2022" beside it.
            months = entry.periods[0].months or FULL_YEAR
            key = (*entry.row, entry.over, months)
            rows.setdefault(key, []).append((score, entry))
    for found in rows.values():
        ordered = sorted(found, key=lambda pair: end_of(pair[1].periods[0]))
        later = _at(claim.periods[-1] if claim.periods else None, ordered)
        if later is None:
            continue
        if len(claim.periods) > 1:
            earlier = _at(claim.periods[0], ordered)
        else:
            before = [p for p in ordered if end_of(p[1].periods[0]) < end_of(later[1].periods[0])]
            earlier = before[-1] if before else None
        if earlier and earlier[1] is not later[1]:
            yield later[0], earlier[1], later[1]


def _at(
    period: Period | None, ordered: Sequence[tuple[float, Entry]]
) -> tuple[float, Entry] | None:
    if period is None or not (period.year or period.date):
        return ordered[-1] if ordered else None
    fitting = (p for p in ordered if agree(period, p[1].periods[0], p[1].calendar))
    return next(fitting, None)


def end_of(period: Period) -> int:
    """When a period ends, in days; "December 31, 2023" and "2022" stand side by side in heads."""
    return (period.date or dt.date(period.year or 1, 12, 31)).toordinal()


def _shares(claim: Claim, entries: Sequence[Entry]) -> Iterator[Derivation]:
    """A margin, a share of a whole, a ratio in times, or a sum of two rows."""
    amounts = [e for e in entries if e.unit in ("amount", "") and not e.change and not e.prose]
    for part_words, whole_words in _operands(claim):
        for score, part in _named(part_words, claim, amounts):
            for other, whole in _named(whole_words, claim, amounts):
                if not whole.value or part.row == whole.row or not _together(part, whole):
                    continue
                result = part.value / whole.value * (100 if claim.number.unit == "%" else 1)
                sign = "%" if claim.number.unit == "%" else ""
                said = f"{earlier_text(part)} / {earlier_text(whole)} = {result:.1f}{sign}"
                holds = close(claim, abs(result)) and (result >= 0 or claim.negative)
                sure = min(score, other) >= SURE and bool(claim.periods)
                title = f"{part.title} / {whole.title}"
                yield Derivation(holds, sure, f"{title}: {said}", part.marker)
    if _SUM.search(claim.sentence) and claim.number.unit not in ("%", "points"):
        yield from _sums(claim, amounts)


def _operands(claim: Claim) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """What is divided by what, as words."""
    after = claim.sentence[claim.number.end :]
    ratio = _RATIO.search(claim.sentence[: claim.number.start])
    if ratio and (claim.number.unit in ("", "%") or _TIMES.match(after)):
        yield label_words(ratio["part"]), label_words(ratio["whole"])
    if claim.number.unit == "%":
        if claim.whole:
            for words in claim.readings:
                yield words, claim.whole
        before = _SHARE_OF.search(claim.sentence[: claim.number.start])
        rest = before["rest"] if before else ""
        for comma in re.finditer(",", rest):
            whole, part = rest[: comma.start()], rest[comma.end() :]
            yield label_words(part), label_words(whole)
        margin = next((words for words in claim.readings if "margin" in words), None)
        if margin:
            part = (margin - {"margin"} - WEAK) or {"net"}
            yield frozenset(part | {"incom"} | (margin & WEAK)), _REVENUE


def _named(
    words: frozenset[str], claim: Claim, entries: Sequence[Entry]
) -> list[tuple[float, Entry]]:
    """The entries of the claim's period that fit the words best."""
    asked = replace(claim, readings=(words,), change=False)
    scored = [
        (score, entry)
        for entry in entries
        if (not claim.periods or not entry.periods or _agrees(claim, entry))
        and (score := fit(asked, entry)) >= FIT
    ]
    best = max((score for score, _ in scored), default=0.0)
    return [pair for pair in scored if pair[0] >= best - CLEARLY / 2][:8]


def _agrees(claim: Claim, entry: Entry) -> bool:
    return agree(claim.periods[-1], entry.periods[0], entry.calendar)


def _together(one: Entry, other: Entry) -> bool:
    """Whether two figures are of one period."""
    if not one.periods or not other.periods:
        return True
    return agree(one.periods[0], other.periods[0], one.calendar)


def _sums(claim: Claim, entries: Sequence[Entry]) -> Iterator[Derivation]:
    """The sum of the two rows that the sentence names: "A and B together were ..."."""
    before = _SUM.sub(" ", claim.sentence[: claim.number.start])
    for cut in re.finditer(r"\band\b|,", before):
        one, other = label_words(before[: cut.start()]), label_words(before[cut.end() :])
        for score, first in _named(one, claim, entries):
            for rank, second in _named(other, claim, entries):
                if first.row == second.row or not _together(first, second):
                    continue
                result = first.value + second.value
                said = (
                    f"{earlier_text(first)} + {earlier_text(second)} = {result / first.scale:,.10g}"
                )
                sure = min(score, rank) >= SURE
                title = f"{first.title} + {second.title}"
                yield Derivation(close(claim, abs(result)), sure, f"{title}: {said}", first.marker)


def earlier_text(entry: Entry) -> str:
    """An operand as it is printed, without the currency's sign."""
    text = (
        f"{abs(entry.amount):,.{entry.decimals}f}" if entry.fact is None else f"{entry.amount:,.0f}"
    )
    return f"−{text}" if entry.amount < 0 and entry.fact is None else text


def _signed(result: float) -> str:
    return f"{result:.1f}".replace("-", "−")
