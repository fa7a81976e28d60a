"""Facts by concept: which stored filings report it, with what value, and where they show it."""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from rag_app.errors import FactError, LibraryError
from rag_app.library import Library
from rag_app.records import Citation, Fact, Filters

MAX_TEXT = 160
"""Characters of a text fact on one line; its JSON has the whole."""


def find_facts(library: Library, filters: Filters, concept: str) -> dict[str, list[Fact]]:
    """The facts of a concept by filing key: totals before their parts, and of each the filing's own
    period before others, the newest first; the parts of one axis stand together, the largest first.

    The concept is a local name (``Revenues``), its prefix may stand before it; capitals do not
    count.

    Raises:
        LibraryError: no filing passes the filters, or one was stored before facts were kept.
        FactError: no filing that passes has facts, or none of that concept.
    """
    library.check_filters(filters)
    stored = {key: s for key, s in library.filings().items() if filters.admits(s.filing)}
    read = {key: library.facts(key, each.version) for key, each in stored.items()}
    named = {
        key: sorted(
            (fact for fact in facts if _is_named(fact, concept)),
            key=functools.partial(_order, stored[key].filing.period_end),
        )
        for key, facts in read.items()
    }
    found = {key: facts for key, facts in named.items() if facts}
    if not found:
        raise FactError(_none_found(read, filters, concept))
    return found


def facts_json(found: Mapping[str, Sequence[Fact]]) -> list[dict[str, Any]]:
    """The facts as plain JSON values, one object a fact, values as exact text."""
    return [
        {
            "filing": key,
            "concept": fact.concept,
            "value": fact.value,
            "unit": fact.unit,
            "decimals": fact.decimals,
            "period_start": fact.period_start.isoformat() if fact.period_start else None,
            "period_end": fact.period_end.isoformat() if fact.period_end else None,
            "dimensions": dict(fact.dimensions),
            "entity": fact.entity,
            "printed": fact.printed or fact.value,
            "nil": fact.nil,
            "hidden": fact.hidden,
            "problem": fact.problem,
            "id": fact.id,
            "chunk_id": fact.chunk_id,
        }
        for key, facts in found.items()
        for fact in facts
    ]


def facts_text(found: Mapping[str, Sequence[Fact]]) -> str:
    """The facts as lines for people; one that is shown in several places has one line."""
    lines: list[str] = []
    for key, facts in found.items():
        lines.append(key)
        places: dict[Fact, list[str]] = {}
        for fact in facts:
            same = replace(fact, id="", span=None, chunk_id="", printed="", scale=0, format="")
            places.setdefault(same, []).append(fact.chunk_id)
        lines += [f"  {_line(fact, chunk_ids)}" for fact, chunk_ids in places.items()]
    return "\n".join(lines)


def _line(fact: Fact, chunk_ids: Sequence[str]) -> str:
    shown = list(dict.fromkeys(chunk_id for chunk_id in chunk_ids if chunk_id))
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    parts = [
        fact.concept,
        f"{_value(fact)} {fact.unit}".strip(),
        _period(fact),
        f"decimals {fact.decimals}" if fact.decimals else "",
        ", ".join(f"{axis}={member}" for axis, member in fact.dimensions),
        f"in {shown[0]}{more}" if shown else "not shown",
        fact.problem,
    ]
    return " · ".join(part for part in parts if part)


def _value(fact: Fact) -> str:
    if fact.nil:
        return "nil"
    if fact.numeric and fact.value and "/" not in fact.value:
        return f"{Decimal(fact.value):,f}"
    return textwrap.shorten(fact.value, MAX_TEXT, placeholder=" …")


def _period(fact: Fact) -> str:
    if fact.period_end is None:
        return "no period"
    start = f"{fact.period_start} to " if fact.period_start else "at "
    return f"{start}{fact.period_end}"


def _is_named(fact: Fact, concept: str) -> bool:
    name = fact.concept if ":" in concept else _local(fact.concept)
    return name.lower() == concept.lower()


def _local(concept: str) -> str:
    return concept.rpartition(":")[2]


def _order(own_end: dt.date, fact: Fact) -> tuple[int, bool, int, int, tuple[str, ...], Decimal]:
    end = fact.period_end or dt.date.min
    length = (end - fact.period_start).days if fact.period_start else 0
    axes = tuple(axis for axis, _ in fact.dimensions)
    exact = fact.numeric and fact.value and "/" not in fact.value
    size = Decimal(fact.value) if exact else Decimal(0)
    return len(fact.dimensions), end != own_end, -end.toordinal(), -length, axes, -size


def _none_found(read: Mapping[str, Sequence[Fact]], filters: Filters, concept: str) -> str:
    names = Counter(_local(fact.concept) for facts in read.values() for fact in facts)
    if not names:
        return (
            f"No filing among {filters} has inline XBRL facts (a PDF, a text or an older HTML has "
            "none); ask for another filing."
        )
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(_local(concept).lower(), lowered, n=5, cutoff=0.5)
    if not close:
        return f"No fact of {concept} in {filters}, and no concept there has a name like it."
    near = ", ".join(lowered[name] for name in close)
    return f"No fact of {concept} in {filters}; the closest concepts there: {near}."


def cited_facts(
    library: Library, versions: Mapping[str, str], citations: Sequence[Citation]
) -> dict[str, tuple[Fact, ...]]:
    """The facts of the cited filings by key; none of a filing that was stored without them."""
    found = {}
    for key in dict.fromkeys(citation.filing for citation in citations):
        try:
            found[key] = _kept(library, key, versions[key])
        except (LibraryError, KeyError):  # an answer is better checked by passages than not given
            found[key] = ()
    return found


@functools.lru_cache(maxsize=16)
def _kept(library: Library, key: str, version: str) -> tuple[Fact, ...]:
    """Cached for good: a version never changes."""
    return library.facts(key, version)
