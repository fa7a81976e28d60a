"""A sentence → its claims: each figure with what it measures, when, and whether it is a change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag_app.chat.figures import Number, all_numbers, without_markers
from rag_app.chat.labels import WEAK, label_digits, label_words
from rag_app.chat.periods import Period, periods_in

_REFERENCE = re.compile(
    r"(?:\b(?:items?|notes?|parts?|forms?|levels?|sections?|topics?|exhibits?|schedules?|rules?|pages?|tier|"
    r"phase|version|chapter|asc|asu|no\.?|nos\.?|covid|q|passages?)[\s-]*|[A-Za-z]-|§\s*|#\s*)$",
    re.IGNORECASE,
)
_RISE = (
    r"increas\w+|r(?:ose|ise|isen|ising)|gr[eo]w\w*|(?<!made )up(?! of)|higher|gain\w*|climb\w*|"
    r"jump\w*|more|expan\w+|improv\w+|surg\w+"
)
_FALL = (
    r"decreas\w+|f(?:ell|all|allen|alling)|declin\w+|down|lower|drop\w*|shr[aiu]nk\w*|less|reduc\w+|"
    r"contract(?:ed|ion)|slipp\w+"
)
_MOVE = re.compile(rf"\b(?:(?P<rise>{_RISE})|(?P<fall>{_FALL})|chang\w+|differ\w+|swing)\b", re.I)
_TO = re.compile(
    r"\b(?:to|from|at|versus|against|with)\s*(?:about|approximately|roughly|around|nearly)?\s*$",
    re.I,
)
_SHARE = re.compile(
    r"^\s*(?:of|as a (?:share|percentage|percent) of)\s+(?P<whole>[^.;]+)", re.IGNORECASE
)
_SHARE_BEFORE = re.compile(r"\bas a (?:share|percentage|percent|portion) of\s+(?P<whole>.+)$", re.I)
_ABOUT = re.compile(
    r"\b(?:about|approximately|roughly|around|some|circa|nearly|almost|close to)\s*$", re.I
)
_OVER = re.compile(r"\b(?:over|more than|above|at least|exceed\w*|in excess of)\s*$", re.I)
_UNDER = re.compile(r"\b(?:under|less than|below|nearly|almost|at most|just short of)\s*$", re.I)
_CUT = re.compile(
    r".*\b(?:that|drove|pushed|lifted|helped|led|because|where|which|reported|recorded|posted|"
    r"generated|says|states|shows|lists|puts|gives|carried|had|according to [^,]*,)\b",
    re.I | re.S,
)
_DIRECT = re.compile(
    r"[\s(,]*(?:of|in|for|during|at|as of|on|as at)?\s*(?:the\s+)?(?:end of\s+)?"
    r"(?:fiscal\s+|calendar\s+)?"
    r"(?:years?\s+|quarters?\s+|(?:first|second|third|fourth)\s+(?:fiscal\s+)?quarter\s+(?:of\s+)?"
    r"|q[1-4]\s+|\w+[\s-]months?\s+|\w+[\s-]weeks?\s+)?(?:of\s+)?(?:ended\s+|ending\s+)?"
    r"(?:fiscal\s+)?(?:year\s+)?",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(r"\b(?:negative|minus|loss(?:es)? of|deficit|outflow)\b[\w\s]{0,12}$", re.I)
_BY = re.compile(r"\bby\s*(?:about|approximately|some|roughly)?\s*$", re.IGNORECASE)
_MOVE_OF = re.compile(rf"\b(?:change|difference|(?:{_RISE})|(?:{_FALL}))\s+of\s*$", re.IGNORECASE)
_JOINT = re.compile(r"[\s,]*(?:and|to|or|[-–])?\s*")


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure of a sentence, and what the sentence says of it.

    ``readings`` are the words for what it measures, the likeliest first; ``whole`` those of what
    it is a share of. ``periods`` holds the one that it belongs to, or of a change both ends, the
    later last. ``direction`` is 1 for a rise, -1 for a fall, 0 where the sentence does not say.
    ``hedge`` is ``about``, ``over``, ``under`` or empty.
    """

    number: Number
    sentence: str
    readings: tuple[frozenset[str], ...]
    digits: frozenset[str]
    periods: tuple[Period, ...]
    change: bool = False
    direction: int = 0
    whole: frozenset[str] = frozenset()
    hedge: str = ""
    negative: bool = False

    def without(self, names: frozenset[str]) -> Claim:
        """The claim, also read without the company's name in what it measures."""
        bare = (words - names for words in self.readings)
        readings = dict.fromkeys([*self.readings, *(words for words in bare if words - WEAK)])
        return replace(self, readings=tuple(readings))


def claims_in(sentence: str) -> list[Claim]:
    """The claims of a sentence, one a figure; years and days that date them are no figures."""
    text = without_markers(sentence)
    periods = _resolved(periods_in(text))
    numbers = _figures(text, periods)
    found: list[Claim] = []
    for at, number in enumerate(numbers):
        before = text[numbers[at - 1].end if at else 0 : number.start]
        stop = numbers[at + 1].start if at + 1 < len(numbers) else len(text)
        named = _named(text, at, numbers, periods)[:1]
        found.append(_claim(text, number, before, text[number.end : stop], named, periods))
    return _inherited(found, text)


def _figures(text: str, periods: Sequence[Period]) -> list[Number]:
    """The numbers that claim something: not part of a date, an enumeration or a reference."""
    kept: list[Number] = []
    for number in all_numbers(text):
        dated = any(p.start < number.end and number.start < p.end for p in periods)
        if dated or (number.bare and _names_something(text, number)):
            continue
        kept.append(number)
    for at, (number, after) in enumerate(list(pairwise(kept))):
        # "between 3 and 5%", "3-5%", "$3 to $5 billion": the unit stands behind the last one.
        if (
            number.scale == 1.0
            and number.unit in ("", after.unit, "money")
            and ((after.unit == "%" and number.unit == "") or after.scale > 1.0)
        ):
            between = text[number.end : after.start]
            ranged = re.search(r"\b(?:between|from)\s*$", text[: number.start], re.I)
            if re.fullmatch(r"\s*(?:[-–—]|to)\s*", between) or (
                ranged and re.fullmatch(r"\s*and\s*", between)
            ):
                kept[at] = replace(number, unit=after.unit, scale=after.scale)
    return kept


def _names_something(text: str, number: Number) -> bool:
    """Whether a bare number only counts or points: "Note 5", "10-K", "1.", "12 months"."""
    after = text[number.end :]
    return bool(
        _REFERENCE.search(text[: number.start])
        or re.match(r"-[KQ]\b|[\s-](?:months?|weeks?|years?|days?)\b|-\w", after)
        or (not text[: number.start].strip(" -•*") and re.match(r"[.)]", after))
    )


def _claim(
    text: str,
    number: Number,
    before: str,
    after: str,
    periods: tuple[Period, ...],
    every: Sequence[Period],
) -> Claim:
    move = next(iter([*_MOVE.finditer(before)][-1:]), None)
    # "$60 million higher", "a 5% increase"; but "$60 million, up from 50" is a level.
    behind = _MOVE.match(after.lstrip())
    behind = behind if behind and behind[0].lower() not in ("up", "down") else None
    move = behind or move
    ratio = number.unit in ("%", "points")
    level = bool(_TO.search(before)) and "by" not in before[-12:]
    called = re.search(r"\b(?:was|were|is|of)\s*$", before)
    change = (
        bool(move)
        and not level
        and bool(behind or _BY.search(before) or _MOVE_OF.search(before) or (ratio and not called))
    )
    if number.unit == "points":
        change = True
    if change:
        periods = ends_of(every)
    share = _SHARE.match(after) if ratio else None
    if share and not label_words(before) - WEAK:
        share = None  # "24.3% of gross profit": that is what it measures
    share = share or (_SHARE_BEFORE.search(before) if ratio else None)
    own = before if not (share and share.re is _SHARE_BEFORE) else before[: share.start()]
    direction = 0
    if change and move:
        direction = -1 if move["fall"] else 1 if move["rise"] else 0
    words, full = label_words(_after_cut(own)), label_words(own)
    tail = label_words("" if share and share.re is _SHARE else after)
    readings = [said for said in (full, words, tail) if said - WEAK]
    if words - WEAK and tail - WEAK:
        readings.append(words | tail)
    hedge = (
        "under"
        if _UNDER.search(before)
        else "over"
        if _OVER.search(before)
        else "about"
        if _ABOUT.search(before)
        else ""
    )
    return Claim(
        number,
        text,
        tuple(dict.fromkeys(readings)),
        label_digits(text),
        periods,
        change,
        direction,
        label_words(share["whole"]) if share else frozenset(),
        hedge,
        number.minus or number.enclosed or bool(_NEGATIVE.search(before)),
    )


def _after_cut(text: str) -> str:
    """What follows the last verb that brings something up, if that leaves words."""
    cut = _CUT.match(text)
    rest = text[cut.end() :] if cut else text
    return rest if label_words(rest) - WEAK else text


def _inherited(claims: list[Claim], text: str) -> list[Claim]:
    """A figure that nothing stands before measures what the one before it does."""
    full: list[Claim] = []
    for claim in claims:
        if full:
            head = full[-1].readings[:1]
            between = text[full[-1].number.end : claim.number.start]
            if not label_words(between) - WEAK:
                claim = replace(claim, readings=(*head, *claim.readings))
                if full[-1].change and claim.number.unit == "%" and _JOINT.fullmatch(between):
                    claim = replace(
                        claim, change=True, direction=full[-1].direction, periods=full[-1].periods
                    )
        full.append(claim)
    return full


def _resolved(periods: Sequence[Period]) -> list[Period]:
    """ "The prior year" counted back from the first period that the sentence names."""
    main = next((period for period in periods if not period.back), Period())
    return [replace(main, start=p.start, end=p.end, back=p.back) if p.back else p for p in periods]


def ends_of(periods: Sequence[Period]) -> tuple[Period, ...]:
    """The two ends of a change out of all periods of its sentence, the later one last."""

    def order(period: Period) -> float:
        if period.date:
            return period.date.year + period.date.month / 13 - period.back
        return (period.year or 0) + 0.99 - period.back

    return tuple(sorted(periods, key=order))[-2:]


def _named(
    text: str, at: int, numbers: Sequence[Number], periods: Sequence[Period]
) -> tuple[Period, ...]:
    """The periods of one figure: "respectively" by their order, else the one that is nearest."""
    if not periods:
        return ()
    number = numbers[at]
    after = [p for p in periods if p.start >= number.end]
    if len(numbers) > 1 and len(numbers) == len(periods):
        in_order = all(p.start >= numbers[-1].end for p in periods)
        if in_order or (all(p.end <= numbers[0].start for p in periods) and "respectively" in text):
            return (periods[at],)
    stop = numbers[at + 1].start if at + 1 < len(numbers) else len(text)
    if after and after[0].start < stop and _DIRECT.fullmatch(text[number.end : after[0].start]):
        first, rest = after[0], [p for p in after[1:] if p.start < stop]
        return (first, *rest)
    before = [p for p in periods if p.end <= number.start]
    since = numbers[at - 1].end if at else 0
    own = [p for p in before if p.start >= since]
    rest = [p for p in after if p.start < stop]
    if own:
        return (own[-1], *own[:-1], *rest)
    if at and before and not rest:
        return (before[-1],)
    return (*rest, *before[-1:], *after[:1])
