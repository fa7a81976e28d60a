"""True and false statements about filings, made from the rows of their tables and their facts.

A true one tells a figure as printed, in another scale or rounded. A false one tells another
year's or another row's value, another scale, transposed digits, a turned sign, a wrong growth.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from eval.figure_patterns import FALLEN, LESS, MORE, PATTERNS, RISEN
from eval.figure_truths import Truth

FALSEHOODS = ("other year", "other row", "scale", "digits", "sign")
TRIES = 20
"""Draws of a truth for a kind, and of kinds, before a filing is taken to hold no more."""
_OUTFLOW = re.compile(
    r"paid|pay|purchas|acqui|cost|expens|used|loss|tax|dividend|distribut|withh|deduct|decreas|declin|"
    r"reduc|deficit|amorti|depreci|accumul|impair|charge|provision|outflow|less|expenditure|writ|settle|"
    r"retire|treasury|allowance|redem|eliminat|forfeit|cancel|vested|lapse|dispos|discount|fees",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence about a filing with what it cites, and whether it is true.

    ``how`` is the falsehood, or how the true figure is told; ``figures`` how many it states.
    """

    filing: str
    text: str
    passages: tuple[str, ...]
    true: bool
    kind: str
    how: str
    pattern: str
    figures: int


@dataclass(frozen=True, slots=True)
class _Amount:
    """A figure to be told: its value in units, and how it may be written."""

    value: float
    unit: str
    printed_scale: float
    decimals: int


def statements_of(
    truths: Sequence[Truth], count: int, chance: random.Random
) -> Iterator[Statement]:
    """``count`` statements about one filing, true and false in turn, half of them of a level."""
    kinds = [kind for kind in PATTERNS for _ in range(len(PATTERNS) - 1 if kind == "level" else 1)]
    for number in range(count if truths else 0):
        for _ in range(TRIES):
            kind = chance.choice(kinds)
            drawn = (chance.choice(truths) for _ in range(TRIES))
            made = (_statement(truth, truths, kind, number % 2 == 0, chance) for truth in drawn)
            statement = next(filter(None, made), None)
            if statement:
                yield statement
                break


def _statement(
    truth: Truth, truths: Sequence[Truth], kind: str, true: bool, chance: random.Random
) -> Statement | None:
    if kind in ("growth", "difference", "two periods") and not truth.earlier:
        return None
    second = (
        _beside(truth, truths, kind, chance) if kind in ("two labels", "share", "sum") else None
    )
    if kind in ("two labels", "share", "sum") and second is None:
        return None
    right = _figure(truth, second, kind)
    if right is None:
        return None
    told = _written(right, chance)
    how, said, rose = "as told", told, _rises(truth)
    if not true:
        wrong = _wrong(truth, truths, second, right, kind, chance)
        if wrong is None:
            return None
        how, amount, turned = wrong
        rose = rose != turned
        said = _written(amount, chance)
        if not turned and _same(said, told, right, amount):
            return None
    text, pattern = _told(truth, second, kind, said, rose, chance)
    return Statement(
        truth.filing,
        text,
        (truth.passage, *([second.passage] if second and second.passage != truth.passage else [])),
        true,
        kind,
        how,
        pattern,
        2 if kind in ("two periods", "two labels") else 1,
    )


def _rises(truth: Truth) -> bool:
    return bool(truth.earlier) and truth.value > (truth.earlier_value or 0.0)


def _beside(
    truth: Truth, truths: Sequence[Truth], kind: str, chance: random.Random
) -> Truth | None:
    """Another row of the same passage and period, for two labels, a share or a sum."""
    fits = [
        other
        for other in truths
        if other.passage == truth.passage
        and other.period == truth.period
        and other.unit == truth.unit
        and other.scale == truth.scale
        and not other.alike(truth)
        and (kind == "two labels" or (truth.unit == "amount" and min(truth.value, other.value) > 0))
        and (kind != "share" or other.value > truth.value)
    ]
    return chance.choice(fits) if fits else None


def _figure(truth: Truth, second: Truth | None, kind: str) -> _Amount | None:
    """The true figure of a kind; None where it would say nothing."""
    if kind == "growth":
        old, new = truth.earlier_value or 0.0, truth.value
        if truth.unit != "amount" or old <= 0 or new <= 0 or old == new:
            return None
        grown = 100 * abs(new - old) / old
        return _Amount(grown, "%", 1.0, 1) if 0.5 <= grown < 400 else None
    if kind == "difference":
        gap = abs(truth.value - (truth.earlier_value or 0.0))
        if truth.unit != "amount" or not gap:
            return None
        return _Amount(gap, "amount", truth.scale, truth.decimals)
    if kind == "share" and second:
        share = 100 * truth.value / second.value
        return _Amount(share, "%", 1.0, 1) if share >= 0.5 else None
    value = truth.value + second.value if kind == "sum" and second else truth.value
    return _Amount(value, truth.unit, truth.scale, truth.decimals)


def _wrong(
    truth: Truth,
    truths: Sequence[Truth],
    second: Truth | None,
    right: _Amount,
    kind: str,
    chance: random.Random,
) -> tuple[str, _Amount, bool] | None:
    """A falsehood: its name, the wrong figure, and whether it turns the direction instead."""
    how = chance.choice(FALSEHOODS)
    if kind in ("growth", "share"):
        if kind == "growth" and chance.random() < 0.3:
            return "sign", right, True
        factor = chance.choice((0.5, 0.8, 0.9, 1.12, 1.25, 2.0))
        return "growth", replace(right, value=right.value * factor), False
    if how == "other year" and truth.earlier and kind not in ("difference", "sum"):
        return how, replace(right, value=truth.earlier_value or 0.0), False
    if how == "other row" and kind != "difference":
        rows = [
            t
            for t in truths
            if t.unit == truth.unit
            and t.passage == truth.passage
            and not t.alike(truth)
            and t.scale == truth.scale
            and not (second and t.alike(second))
        ]
        return (how, replace(right, value=chance.choice(rows).value), False) if rows else None
    if how == "scale" and right.unit == "amount" and right.printed_scale > 1.0:
        factor = chance.choice((1e-3, 1e3)) if right.printed_scale < 1e9 else 1e-3
        return how, replace(right, value=right.value * factor), False
    if how == "digits":
        swapped = _transposed(right)
        return (how, swapped, False) if swapped else None
    if how == "sign" and kind == "level" and truth.unit != "%":
        if right.value < 0 and _OUTFLOW.search(truth.label):
            return None  # "dividends paid were $398 million" is a fair way to tell (398)
        if right.value > 0 and _OUTFLOW.search(truth.label):
            return None
        return how, replace(right, value=-right.value), False
    return None


def _transposed(amount: _Amount) -> _Amount | None:
    """The amount with its second and third, or else its first two digits changed over."""
    scale = amount.printed_scale if amount.unit == "amount" else 1.0
    digits = f"{abs(amount.value) / scale:.{amount.decimals}f}"
    places = [at for at, char in enumerate(digits) if char.isdigit()]
    for one, other in ((1, 2), (0, 1)):
        if len(places) > other and digits[places[one]] != digits[places[other]]:
            swapped = list(digits)
            swapped[places[one]], swapped[places[other]] = (
                swapped[places[other]],
                swapped[places[one]],
            )
            if swapped[0] == "0":
                continue
            return replace(amount, value=float("".join(swapped)) * scale * _sign(amount.value))
    return None


def _sign(value: float) -> float:
    return -1.0 if value < 0 else 1.0


def _same(said: str, told: str, right: _Amount, wrong: _Amount) -> bool:
    """Whether a wrong figure reads as the right one once it is rounded."""
    if said == told or wrong.value == right.value:
        return True
    return abs(wrong.value - right.value) <= 0.03 * abs(right.value)


def _written(amount: _Amount, chance: random.Random) -> str:
    """A figure as a person may write it: as printed, in another scale, rounded, in full."""
    value = abs(amount.value)
    if amount.unit == "%":
        decimals = chance.choice((amount.decimals, 1)) if value < 100 else 1
        text = f"{value:.{min(decimals, 2)}f}" + chance.choice(("%", "%", " percent"))
    elif amount.unit == "per share":
        text = f"${value:,.2f}"
    elif amount.printed_scale == 1.0:
        text = f"${value:,.{amount.decimals}f}" if amount.decimals else f"{value:,.0f}"
    else:
        text = chance.choice(_ways(value, amount))
    if amount.value < 0:
        text = chance.choice((f"-{text}", f"negative {text}", _bracketed(text)))
    return text


def _bracketed(text: str) -> str:
    """``$(43) million`` of ``$43 million``."""
    return re.sub(r"^(\$?)([\d,.]+)", r"\1(\2)", text)


def _ways(value: float, amount: _Amount) -> list[str]:
    word = {1e3: "thousand", 1e6: "million", 1e9: "billion"}[amount.printed_scale]
    ways = [f"${value / amount.printed_scale:,.{amount.decimals}f} {word}"]
    if value >= 1e9:
        ways += [f"${value / 1e9:,.2f} billion", f"${value / 1e9:,.1f}bn"]
    if value >= 1e7:
        ways += [f"${value / 1e6:,.1f} million", f"${value / 1e6:,.0f} million"]
    if amount.printed_scale == 1e6 and value >= 1e6:
        ways += [f"${value / 1e3:,.0f} thousand", f"${value:,.0f}"]
    return ways


def _told(
    truth: Truth, second: Truth | None, kind: str, said: str, rose: bool, chance: random.Random
) -> tuple[str, str]:
    pattern = chance.choice(PATTERNS[kind])
    if truth.unit == "%" and "{F} of {l}" in pattern:
        pattern = PATTERNS[kind][0]  # "24% of gross margin" is no English for a margin
    way = RISEN if rose else FALLEN
    rise = chance.choice(way["rise"])
    other = None
    if kind == "two periods":
        other = _Amount(truth.earlier_value or 0.0, truth.unit, truth.scale, truth.decimals)
    elif kind == "two labels" and second:
        other = _Amount(second.value, second.unit, second.scale, second.decimals)
    label, beside = truth.label, second.label if second else ""
    text = pattern.format(
        **{
            "L": _capital(label),
            "l": _small(label),
            "m": _small(beside),
            "F": said,
            "E": _written(other, chance) if other else "",
            "in": truth.said_in(chance),
            "In": _capital(truth.said_in(chance)),
            "before": truth.said_before(chance),
            "p": truth.period,
            "q": truth.earlier,
            "moved": chance.choice(way["moved"]),
            "rise": rise,
            "a": "an" if rise[0] in "aeiou" else "a",
            "up": chance.choice(way["up"]),
            "more": chance.choice(MORE if rose else LESS),
        }
    )
    return text, pattern


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text if text[1:2].isupper() or "." in text[:3] else text[:1].lower() + text[1:]
