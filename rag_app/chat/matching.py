"""Does an entry show what a claim says: same value, same thing measured, same period."""

from __future__ import annotations

import re

from rag_app.chat.claims import Claim
from rag_app.chat.evidence import Entry
from rag_app.chat.labels import TELLING, weight
from rag_app.chat.periods import agree

FIT = 0.7
"""What a claim's words and an entry's have to share for the entry to speak of the claim."""
SURE = 0.9
"""From here on an entry surely measures what the claim names, so another value contradicts it."""
CLEARLY = 0.06
"""By how much another row must fit better for a row of the right value to be the wrong row."""
OVER_WEIGHT = 0.5
"""What the groups and the column head count for beside one word of the label."""
_UNSAID = frozenset({"basic", "dilut", "outstand", "issu", "purchas", "cost", "author", "averag"})
_OUTWARD = re.compile(
    r"\b(?:paid|pay|pays|payments?|repa(?:y|id)\w*|purchases?|repurchas\w*|acqui(?:red|sitions?)|costs?|expenses?|"
    r"used|loss|losses|taxes|dividends?|distribut\w+|withh\w+|deduct\w*|decreas\w*|declin\w*|fell|reduc\w*|"
    r"deficit|amortization|depreciation|accumulated|impair\w*|charges?|provision|outflows?|less|"
    r"expenditures?|writ\w+[\s-](?:off|down)s?|settle\w*|retire\w*|treasury|allowance|redempt\w*|eliminat\w*|"
    r"forfeit\w*|cancel\w*|vested|lapse\w*|dispos\w*|discount|unamortized|fees)\b",
    re.IGNORECASE,
)
_MOVES = "IncreaseDecrease"
"""In the concepts of what changed: the facts on inventories include one that is no inventory."""
_CHANGE = re.compile(r"\b(?:changes?|increases?|decreases?|growth)\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s+(?:[a-z-]+\s+){0,2}?(?:shares|units|employees|people|persons|stores|vehicles|customers"
    r"|subscribers|members|countries|locations|warehouses|restaurants|acres|square feet)\b",
    re.IGNORECASE,
)
_PARENTHESES = re.compile(r"\([^()]*\)")


def fit(claim: Claim, entry: Entry) -> float:
    """How well an entry's words are those of a claim, from 0 to 1; its best reading counts."""
    return max((_fit(claim, words, entry) for words in claim.readings), default=0.0)


def _fit(claim: Claim, words: frozenset[str], entry: Entry) -> float:
    near = entry.own | entry.over
    every = near | entry.around
    said = weight(words)
    if not said:
        return 0.0
    # A word that makes another figure stands on both sides: current assets are no assets.
    telling = words & TELLING
    if telling - every or (entry.own & TELLING) - words - _UNSAID:
        return 0.0
    found = (weight(words & near) + 0.8 * weight((words & entry.around) - near)) / said
    if entry.prose:
        return 0.95 * found if words & entry.own or not entry.own else 0.85 * found
    digits = len(entry.digits)
    held = weight(entry.own & words) + len(entry.digits & claim.digits)
    total = weight(entry.own) + digits
    over = entry.over - entry.own
    if over:
        held += OVER_WEIGHT * weight(over & words) / weight(over)
        total += OVER_WEIGHT
    kept = held / total if total else 0.0
    return 2 * found * kept / (found + kept) if found + kept else 0.0


def same_period(claim: Claim, entry: Entry) -> bool:
    """Whether the claim's period, its later one for a change, may be the entry's."""
    if not claim.periods or not entry.periods:
        return True
    return agree(claim.periods[-1], entry.periods[0], entry.calendar)


def same_unit(claim: Claim, entry: Entry) -> bool:
    """Whether both are percentages, points, or amounts; and none counts what the other pays."""
    unit = claim.number.unit
    if "$" in entry.text and _counts(claim.sentence, claim.number.text):
        return False
    if unit == "money" and entry.prose and _counts(entry.title, entry.text):
        return False
    if unit == "%":
        return entry.unit in ("%", "%?", "")
    if unit == "points":
        return entry.unit == "points"
    return entry.unit in ("amount", "") or (entry.unit == "%?" and claim.number.bare)


def _counts(sentence: str, number: str) -> bool:
    """Whether a number of a sentence says how many, not how much: "499 million shares"."""
    return bool(_COUNTED.match(sentence.partition(number)[2]))


def same_value(claim: Claim, entry: Entry) -> bool:
    """Whether an entry's amount, rounded as the claim is written, is the claim's.

    A number without a scale word may repeat the digits of a table in millions.
    """
    if not _same_sign(claim, entry):
        return False
    number, amount = claim.number, abs(entry.amount)
    if number.scale == 1.0 and number.value == amount:
        return True
    if close(claim, abs(entry.value)):
        return True
    if entry.unit != "amount" and entry.scale > 1.0 and number.scale == 1.0:
        return close(claim, amount)  # a percentage in a table that is in millions
    return False


def close(claim: Claim, value: float) -> bool:
    """Whether a value, in units, rounds to the claim's number as it is written and hedged."""
    number = claim.number
    step = 10.0**-number.decimals
    shown = value / number.scale
    slack = 1e-9 * max(1.0, abs(shown))
    if abs(shown - number.value) <= step / 2 + slack:
        return number.value != 0 or shown < step / 2
    if not claim.hedge:
        return False
    if number.value and number.decimals == 0:
        # "About 27,000" is rounded to its last digit that is not zero.
        while step < number.value and number.value % (step * 10) == 0:
            step *= 10
    if claim.hedge == "over":
        return number.value <= shown < number.value + step
    if claim.hedge == "under" and number.value - step < shown <= number.value:
        return True
    return abs(shown - number.value) <= step / 2 + slack


def rounds_to(claim: Claim, entry: Entry) -> bool:
    """Whether the claim's number rounds to the entry's as that is printed: they don't conflict."""
    step = entry.scale * 10.0**-entry.decimals
    return abs(claim.number.value * claim.number.scale - abs(entry.value)) <= step / 2


def _same_sign(claim: Claim, entry: Entry) -> bool:
    if entry.amount == 0:
        return True
    negative = entry.amount < 0
    if claim.negative == negative:
        return True
    if claim.negative:
        # A cost that a table prints without parentheses may be told with them.
        return entry.prose and bool(_OUTWARD.search(entry.title))
    if claim.change or entry.change or entry.prose:
        return claim.direction <= 0 if negative else True
    return is_outward(claim.sentence) or is_outward(entry.label)


def is_outward(text: str) -> bool:
    """Whether words say that money goes out or is lost: "paid $398 million" for (398)."""
    return bool(_OUTWARD.search(_PARENTHESES.sub(" ", text)))


def same_role(claim: Claim, entry: Entry) -> bool:
    """Whether both are changes or both are levels."""
    if entry.fact and _MOVES in entry.fact.concept and not _CHANGE.search(claim.sentence):
        return False
    if claim.change and not entry.change:
        return bool(_CHANGE.search(entry.label))  # "Comparable sales increase"
    return claim.change == entry.change and bool(claim.whole) <= (entry.unit != "amount")
