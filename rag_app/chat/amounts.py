"""The amount that a question asks for, and which rows and sentences of passages give it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.citations import citation_of
from rag_app.chat.claims import Claim
from rag_app.chat.evidence import Entry, passage_entries
from rag_app.chat.figures import all_numbers
from rag_app.chat.labels import WEAK, label_words, weight
from rag_app.chat.matching import SURE, fit
from rag_app.chat.others import in_notes, other_of
from rag_app.chat.periods import agree, periods_in
from rag_app.chat.ratios import ratio_asked
from rag_app.chat.rows import is_row
from rag_app.chat.text import content_words
from rag_app.index.asked import Asked
from rag_app.index.balanced import within
from rag_app.index.retriever import FilingsRetriever

MORE = 40
"""Hits of a filing that are looked through where the shown ones lack the amount asked for."""
NOTE_SHARE = 0.97
"""Of a row in a note: the same row of a primary statement or of MD&A goes first."""
UNDATED_SHARE = 0.89
"""Of a row whose columns name no period: one that does goes first, and is looked for."""
OVER_TABLE = 3
"""Headings and captions of a passage that may tell what its tables are about."""
_NO_AMOUNT = re.compile(
    r"\b(?:who|whom|whose|why|how (?:do|does|is|are|can|will)|explain|describe|purpose|"
    r"factors?|includ\w+|consist\w*|defin\w+|types?|kinds?|methods?|polic\w+|refers?|roles?|impacts?|affects?|reasons?|"
    r"caus\w+|dr[io]v\w+|contributed|recogni[sz]e\w*)\b",
    re.IGNORECASE,
)
_ASKING = label_words("many which when where tell company higher highest largest biggest")
_SPENT = label_words("expense expenses spend spent spending")
"""A row of expenses need not say so: "Research and development"."""
_EXPENSES = _SPENT | label_words("operating costs")
"""In the group that such a row stands under."""
_OWNED = label_words("attributable available")
_OWNERS = _OWNED | label_words("common stockholders")
_RATE = re.compile(r"%|\b(?:percent(?:age)?|rates?|margins?|yields?|ratios?|share)\b", re.I)
SEGMENT = re.compile(r"\bsegment$", re.IGNORECASE)
"""Ends a heading over what one segment alone earned and owned."""
STATEMENT = re.compile(r"\bstatements? of\b|\bbalance sheets?\b|\bstatements$", re.IGNORECASE)
"""The heading of a primary statement: a table stands right below it."""


def amount_asked(question: str, names: frozenset[str]) -> Claim | None:
    """What a question asks the amount of, as a claim whose number stands for any.

    ``names`` are words of the companies' names. None where it asks for something else.
    """
    words = label_words(question) - names - _ASKING
    if _NO_AMOUNT.search(question) or not words - WEAK:
        return None
    number = all_numbers("1")[0]
    said = _bare(words, _SPENT)
    return Claim(number, question, (said,), frozenset(), tuple(periods_in(question)))


def _bare(words: frozenset[str], without: frozenset[str]) -> frozenset[str]:
    """The words without some, if that leaves any that say what is measured."""
    return words - without if words - without - WEAK else words


def amount_fits(claim: Claim, marker: int, hit: NodeWithScore) -> dict[str, float]:
    """How well each row or sentence of a hit gives the amount, by the title of its entries."""
    names = names_of([hit])
    heading = hit.node.metadata["heading_path"].rpartition(" > ")[2]
    # What stands under "International Segment" is the segment's, not the company's.
    of_part = SEGMENT.search(heading) and label_words(SEGMENT.sub("", heading)) - _asked(claim)
    share = 0.5 if of_part else 1.0
    lines = hit.node.text.splitlines() if isinstance(hit.node, TextNode) else []
    over = [heading, *hit.node.metadata["prefix"].splitlines()[1:], *lines]
    if other_of([line for line in over if not is_row(line)][:OVER_TABLE], _asked(claim)):
        share = 0.5
    elif in_notes(hit.node.metadata["heading_path"]):
        share *= NOTE_SHARE
    found: dict[str, float] = {}
    for entry in passage_entries(citation_of(marker, hit)):
        value = gives(claim, entry, names) * (1.0 if entry.prose else share)
        found[entry.title] = max(found.get(entry.title, 0.0), value)
    return found


def _asked(claim: Claim) -> frozenset[str]:
    return claim.readings[0]


def gives(claim: Claim, entry: Entry, names: frozenset[str]) -> float:
    """How well an entry measures what is asked, from 0 to 1: 0 for a change or another period."""
    if entry.change or not _in_period(claim, entry):
        return 0.0
    if entry.unit == "%" and not _RATE.search(claim.sentence):
        return 0.0
    # "Net income attributable to Costco" is Costco's net income, and research and development
    # among operating expenses that of the whole company.
    owners = _OWNERS if entry.own & _OWNED else frozenset[str]()
    own = _bare(entry.own, names | owners | _SPENT)
    over = entry.over - (_EXPENSES - _asked(claim))
    entry = replace(entry, own=own, over=over)
    found = fit(claim, entry)
    if not entry.prose:
        return found if entry.periods else found * UNDATED_SHARE
    if not found:
        return 0.0
    # A sentence holds any word; its figure measures what is asked if it is about nothing else.
    kept = weight(own & _asked(claim)) / (weight(own) or 1.0)
    return 2 * found * kept / (found + kept) if kept else 0.0


def _in_period(claim: Claim, entry: Entry) -> bool:
    if not claim.periods or not entry.periods:
        return True
    return any(agree(asked, entry.periods[0], entry.calendar) for asked in claim.periods)


def names_of(hits: Sequence[NodeWithScore]) -> frozenset[str]:
    """The words of the companies' names, and their tickers."""
    about = [hit.node.metadata for hit in hits]
    return frozenset[str]().union(
        *(content_words(f"{data['company']} {data.get('ticker', '')}") for data in about)
    )


def with_amounts(
    question: str, hits: list[NodeWithScore], retriever: FilingsRetriever, asked: Asked
) -> list[NodeWithScore]:
    """The hits, and behind them, for each side whose amount they lack, one that gives it.

    A side is a company's filing of a year. Statements are tables, and tables rank low: the row
    that is asked for often stands in a passage right behind the shown ones.
    """
    names = names_of(hits)
    claim = amount_asked(question, names)
    if claim is None:
        return hits
    ratio = ratio_asked(question, names)
    shown = list(hits)
    covers = retriever.snapshot.opened.covers
    for side in asked.sides or (asked.filters,):
        own = [hit for hit in hits if side.admits(covers[hit.node.metadata["filing"]])]
        if not side.ticker or any(_fits(claim, hit) >= SURE for hit in own):
            continue
        found = _best(claim, within(retriever, side, MORE).retrieve(question))
        more = [found] if found else []
        # A margin that nothing prints is divided out of two amounts.
        for part in (ratio.part, ratio.whole) if ratio and not found else ():
            if all(_fits(part, hit) < SURE for hit in [*own, *more]):
                best = _best(part, within(retriever, side, MORE).retrieve(part.sentence))
                more += [best] if best else []
        for hit in more:
            hit.node.metadata["rank"] = len(shown) + 1
            shown.append(hit)
    return shown


def _best(claim: Claim, hits: Sequence[NodeWithScore]) -> NodeWithScore | None:
    """The hit that gives an amount best, if one surely does."""
    best = max(hits, key=lambda hit: _order(claim, hit), default=None)
    return best if best is not None and _fits(claim, best) >= SURE else None


def _fits(claim: Claim, hit: NodeWithScore) -> float:
    return max(amount_fits(claim, 1, hit).values(), default=0.0)


def _order(claim: Claim, hit: NodeWithScore) -> tuple[float, int, bool]:
    """The best first: of equals the latest where no period is asked, then a primary statement."""
    about = hit.node.metadata
    latest = 0 if claim.periods else about["fiscal_year"]
    primary = STATEMENT.search(about["heading_path"].rpartition(" > ")[2])
    return min(_fits(claim, hit), SURE), latest, bool(primary)
