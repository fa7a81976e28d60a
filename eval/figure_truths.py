"""What a filing says: figures of its tables and facts, each with label, period and passage."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from llama_index.core.schema import TextNode

from rag_app.chat.labels import WEAK, concept_words, label_words
from rag_app.chat.periods import Period, periods_in, without_periods
from rag_app.chat.rows import TableRow, Value, is_row, table_rows
from rag_app.filings.chunks import passage_text
from rag_app.records import Fact

GENERIC = {"other", "basic", "dilut", "current", "defer", "total", "servic", "product"}
_NOTES = re.compile(r"\((?:\d{1,2}|[a-z])\)|\*+|\bnotes? \d+\b", re.IGNORECASE)
_CHANGE = re.compile(r"change|increase|decrease|variance|growth|%", re.IGNORECASE)
_PER_SHARE = re.compile(r"\bper\b.*\bshare\b", re.IGNORECASE)
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")
_MEMBER = re.compile(r"Member$|Segment(?=Member)")


@dataclass(frozen=True, slots=True)
class Truth:
    """One figure as a filing gives it, and the one of an earlier period beside it, if any.

    ``value`` is in units; ``passage`` the id of the chunk to be cited.
    """

    filing: str
    passage: str
    label: str
    period: str
    preposition: str
    value: float
    unit: str
    scale: float
    decimals: int
    earlier: str = ""
    earlier_value: float | None = None
    source: str = "row"

    def alike(self, other: Truth) -> bool:
        """Whether both may be meant by the same words, or have one value."""
        mine, its = label_words(self.label), label_words(other.label)
        return mine - WEAK == its - WEAK or self.value == other.value

    def said_in(self, chance: random.Random) -> str:
        """The period with a preposition."""
        return _said(self.period, self.preposition, chance)

    def said_before(self, chance: random.Random) -> str:
        """The earlier period with a preposition."""
        return _said(self.earlier, self.preposition, chance)


def _said(period: str, preposition: str, chance: random.Random) -> str:
    if preposition == "in" and period.isdigit():
        return chance.choice(("in", "in fiscal", "for")) + f" {period}"
    return f"{preposition} {period}"


def row_truths(node: TextNode) -> list[Truth]:
    """The figures of a chunk's tables whose label and period are told without doubt."""
    lines = [line for line in passage_text(node).splitlines()[1:] if line.strip()]
    found: list[Truth] = []
    above: list[str] = []
    for rows, group in groupby(lines, key=is_row):
        table = list(group)
        if not rows:
            above = table
            continue
        for row in table_rows(table, "\n".join(above)):
            found += _of_row(node, row)
    labels = [(t.label.lower(), t.period) for t in found]
    words = [(label_words(t.label), t.period) for t in found]
    return [
        truth
        for truth in found
        if labels.count((truth.label.lower(), truth.period)) == 1
        and words.count((label_words(truth.label), truth.period)) == 1
    ]


def _of_row(node: TextNode, row: TableRow) -> Iterator[Truth]:
    label = _label(row)
    if not label:
        return
    told = [(value, _period(value)) for value in row.values if _counts(value)]
    dated = [(value, when) for value, when in told if when]
    if len({when.text for _, when in dated if when}) != len(dated):
        return  # two columns of one period
    for value, when in dated:
        assert when and value.amount is not None
        if row.values and _PER_SHARE.search(" ".join((row.label, *row.groups))):
            unit = "per share"
        else:
            unit = "%" if "%" in value.text else "amount"
        if unit == "amount" and value.scale == 1.0 and "." in value.text:
            continue  # nothing says what it counts
        before = [(v, w) for v, w in dated if w and w.order < when.order and w.kind == when.kind]
        last = max(before, key=lambda pair: pair[1].order) if before else None
        digits = value.text.partition(".")[2]
        yield Truth(
            node.metadata["filing"],
            node.node_id,
            label,
            when.text,
            when.preposition,
            value.amount * value.scale,
            unit,
            value.scale,
            sum(c.isdigit() for c in digits),
            last[1].text if last else "",
            (last[0].amount or 0.0) * last[0].scale if last else None,
        )


def _counts(value: Value) -> bool:
    """A figure that says something, in a column of its own period and nothing else."""
    if value.amount is None or (abs(value.amount) < 10 and "." not in value.text):
        return False
    head = without_periods(_NOTES.sub("", value.under))
    head = re.sub(
        r"\b(?:ended|ending|as of|at|fiscal|for|the|and|in|millions|thousands|billions)\b",
        "",
        head,
        flags=re.I,
    )
    head = re.sub(r"[^A-Za-z%]", "", head)
    return not head and not _CHANGE.search(value.under)


@dataclass(frozen=True, slots=True)
class _When:
    text: str
    preposition: str
    order: float
    kind: str


def _period(value: Value) -> _When | None:
    named = periods_in(value.under)
    if len(named) != 1:
        return None
    return _when(named[0])


def _when(period: Period) -> _When | None:
    if period.date:
        if not period.day_named:
            return None
        day = f"{period.date:%B} {period.date.day}, {period.date.year}"
        order = period.date.toordinal()
        if period.months == 12:
            return _When(f"the year ended {day}", "in", order, "year")
        if period.months:
            count = {3: "three", 6: "six", 9: "nine"}.get(period.months)
            return _When(f"the {count} months ended {day}", "in", order, count) if count else None
        return _When(day, "at", order, "day")
    if period.year is None:
        return None
    last_day = dt.date(period.year, 12, 31)  # on one scale with the heads that give a day
    return _When(str(period.year), "in", last_day.toordinal(), "year")


def _label(row: TableRow) -> str:
    """A label that names the row by itself, with the group above it where it needs that."""
    label = _clean(row.label)
    words = label_words(label)
    if not words - WEAK:
        return ""
    if not words - WEAK - GENERIC:
        group = _clean(row.groups[-1]) if row.groups else ""
        if not label_words(group) - WEAK:
            return ""
        label = f"{label} {group[:1].lower()}{group[1:]}"
    long = len(label.split()) > 14 or re.search(r"\d", label)
    return (
        ""
        if long or re.match(r"(?:increase|decrease|change|balance|as a )", label, re.I)
        else label
    )


def _clean(label: str) -> str:
    label = _NOTES.sub("", label.replace("\u00a0", " ")).split(":")[0]
    return " ".join(label.rstrip(" ,.;–—-$").split())


def fact_truths(
    filing: str, facts: Sequence[Fact], chunks: Mapping[str, TextNode], chance: random.Random
) -> list[Truth]:
    """Numeric facts without or with one member; half of them cite another chunk of their Item."""
    groups: dict[object, list[Fact]] = {}
    for fact in facts:
        read = fact.numeric and fact.value and not (fact.nil or fact.problem)
        if read and fact.chunk_id in chunks and fact.period_end and len(fact.dimensions) <= 1:
            key = (fact.concept, fact.dimensions, _months(fact))
            groups.setdefault(key, []).append(fact)
    found = []
    for group in groups.values():
        series = sorted(group, key=_end, reverse=True)
        truth = _of_fact(filing, series[0], series, chunks, chance)
        if truth:
            found.append(truth)
    return _without_doubt(found)


def _end(fact: Fact) -> dt.date:
    return fact.period_end or dt.date.min


def _months(fact: Fact) -> int | None:
    """How long a fact's period lasts; None of an instant."""
    return round((_end(fact) - fact.period_start).days / 30.4) if fact.period_start else None


def _of_fact(
    filing: str,
    fact: Fact,
    series: Sequence[Fact],
    chunks: Mapping[str, TextNode],
    chance: random.Random,
) -> Truth | None:
    unit = {"USD": "amount", "USD/shares": "per share", "pure": "%"}.get(
        fact.unit.replace("iso4217:", "").replace("xbrli:", ""), ""
    )
    if not unit or not fact.period_end:
        return None
    name = " ".join(_CAMEL.findall(fact.concept.rpartition(":")[2])).lower()
    for _, member in fact.dimensions:
        local = _MEMBER.sub("", member.rpartition(":")[2])
        name = f"{' '.join(_CAMEL.findall(local)).lower()} {name}"
    name = re.sub(r"\b(income|gain|gains) loss(?:es)?\b", r"\1", name)
    if (
        re.search(r"\d|increase decrease", name)
        or len(name.split()) > 12
        or not concept_words(fact.concept) - WEAK
    ):
        return None
    months = _months(fact)
    when = _when(Period(date=fact.period_end, months=months))
    if when is None or (fact.period_start and months not in (3, 6, 9, 12)):
        return None
    factor = 100.0 if unit == "%" else 1.0
    value = float(fact.value) * factor
    if (unit == "amount" and abs(value) < 1000) or not value:
        return None
    before = next((f for f in series if _end(f) < _end(fact)), None)
    beside = _when(Period(date=before.period_end, months=months)) if before else None
    passage = fact.chunk_id
    if chance.random() < 0.5:
        item = chunks[passage].metadata["item"]
        passage = chance.choice([i for i, c in chunks.items() if c.metadata["item"] == item])
    return Truth(
        filing,
        passage,
        name,
        when.text,
        when.preposition,
        value,
        unit,
        10.0**fact.scale if unit == "amount" and fact.scale in (3, 6) else 1.0,
        {"%": 1, "per share": 2}.get(unit, 0),
        beside.text if beside and before else "",
        float(before.value) * factor if beside and before else None,
        "fact",
    )


def _without_doubt(truths: Sequence[Truth]) -> list[Truth]:
    """Those whose label's words no other fact of the period has."""
    words = [(label_words(t.label) - WEAK, t.period) for t in truths]
    return [t for t in truths if words.count((label_words(t.label) - WEAK, t.period)) == 1]
