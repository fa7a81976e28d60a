"""What a person says of an answer, with all that is needed to learn from it later."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rag_app.records import Answer, Filters

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

Kind = Literal["up", "down", "right-passage", "wrong-figure", "edited-question"]
KINDS: dict[Kind, str] = {
    "up": "the answer is good",
    "down": "the answer is bad",
    "right-passage": "this passage is the right one",
    "wrong-figure": "this figure is wrong",
    "edited-question": "this is what I meant to ask",
}
"""Kind of mark → what it says. The value of a mark is the passage's chunk id, the figure as the
answer prints it, or the new question; a thumb has none."""
OPPOSITE: dict[Kind, Kind] = {"up": "down", "down": "up"}


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A hit as it was shown. Its text is kept, so that it outlives a change of the chunker.

    ``number`` counts the hits from 1, as markers do. ``text`` is what was embedded, prefix and
    all; ``start`` and ``end`` are its own words' offsets in the Item's text.
    """

    number: int
    chunk_id: str
    cited: bool
    cosine: float
    filing: str
    accession: str
    item: str
    start: int
    end: int
    ticker: str
    form: str
    fiscal_year: int
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what it got: what marks are about."""

    id: str
    question: str
    searched_for: str
    filters: Filters
    text: str
    model: str
    dim: int
    llm: str
    passages: tuple[ShownPassage, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that was said of an answer, and when (UTC, ISO 8601).

    ``reviews`` maps a passage's number to what a reviewer decided: whether it answers the question.
    """

    id: int
    kind: Kind
    value: str
    marked_at: str
    asked: Exchange
    reviews: dict[int, bool] = field(default_factory=dict)


def answer_id(question: str, searched_for: str, filters: Filters, answer: Answer) -> str:
    """Names one answering: the same after a reload; the same question asked again is another.

    The timings are in it, which no two answerings share.
    """
    parts = [question, searched_for, str(filters), answer.text, answer.model, answer.dim]
    whole = json.dumps([*parts, answer.llm, answer.timings_ms], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:20]


def exchange_of(
    question: str,
    searched_for: str,
    filters: Filters,
    answer: Answer,
    accessions: dict[str, str] | None = None,
) -> Exchange:
    """What is kept of an answer; ``accessions`` maps filing key → accession number, where known."""
    cited = {citation.chunk_id for citation in answer.citations}
    return Exchange(
        id=answer_id(question, searched_for, filters, answer),
        question=question,
        searched_for=searched_for,
        filters=filters,
        text=answer.text,
        model=answer.model,
        dim=answer.dim,
        llm=answer.llm,
        passages=tuple(
            _shown(number, hit, cited, accessions or {})
            for number, hit in enumerate(answer.hits, start=1)
        ),
    )


def _shown(
    number: int, hit: NodeWithScore, cited: set[str], accessions: dict[str, str]
) -> ShownPassage:
    from llama_index.core.schema import TextNode

    from rag_app.filings.chunks import passage_text

    node = hit.node
    assert isinstance(node, TextNode)
    about = node.metadata
    return ShownPassage(
        number=number,
        chunk_id=node.node_id,
        cited=node.node_id in cited,
        cosine=float(about["cosine"]),
        filing=str(about["filing"]),
        accession=accessions.get(str(about["filing"]), ""),
        item=str(about["item"]),
        start=int(about["start"]),
        end=int(about["end"]),
        ticker=str(about["ticker"]),
        form=str(about["form"]),
        fiscal_year=int(about["fiscal_year"]),
        text=passage_text(node),
    )
