"""Hits, passages, filings and facts as plain JSON values; the names are a public interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag_app.facts import facts_json
from rag_app.library import StoredFiling
from rag_app.records import Fact

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore, TextNode

    from rag_app.index.asked import Asked

MAX_FACT_TEXT = 1000
"""Characters of a fact whose value is a text: whole notes are such."""


def hit_json(hit: NodeWithScore) -> dict[str, Any]:
    """A hit with its passage."""
    from llama_index.core.schema import TextNode

    node = hit.node
    assert isinstance(node, TextNode)
    ranked = {"rank": node.metadata["rank"], "score": hit.score, "cosine": node.metadata["cosine"]}
    return ranked | passage_json(node)


def found_json(hits: Sequence[NodeWithScore], asked: Asked) -> dict[str, Any]:
    """Hits with the filters that were searched with, and what there is to say about them."""
    return {
        "filters": asked.filters.as_json(),
        "notes": [*filter(None, [asked.missing]), *asked.notes],
        "hits": [hit_json(hit) for hit in hits],
    }


def passage_json(node: TextNode) -> dict[str, Any]:
    """A passage: ``text`` is the filing's own words, ``prefix`` says where they stand.

    A part of a table has its caption, units and column heads in the prefix.
    """
    about = node.metadata
    return {
        "chunk_id": node.node_id,
        "filing": about["filing"],
        "company": about["company"],
        "ticker": about["ticker"],
        "form": about["form"],
        "fiscal_year": about["fiscal_year"],
        "period_end": about["period_end"],
        "item": about["item"],
        "page": about["page"],
        "prefix": about["prefix"],
        "text": node.text,
    }


def filing_json(stored: StoredFiling) -> dict[str, Any]:
    """A filing of the library."""
    filing = stored.filing
    return {
        "filing": filing.key,
        "company": filing.company,
        "ticker": filing.ticker,
        "cik": filing.cik,
        "form": filing.form,
        "fiscal_year": filing.fiscal_year,
        "period_end": filing.period_end.isoformat(),
        "accession": filing.accession,
        "chunks": stored.chunk_count,
        "items": list(stored.health.items_found),
    }


def shown_facts(found: Mapping[str, Sequence[Fact]], limit: int) -> list[dict[str, Any]]:
    """The first ``limit`` facts; long texts are cut, which a trailing ellipsis says."""
    return [
        {name: _short(value) for name, value in record.items()}
        for record in facts_json(found)[:limit]
    ]


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_FACT_TEXT:
        return value[: MAX_FACT_TEXT - 1] + "…"
    return value
