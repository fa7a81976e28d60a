"""An answer for people at a terminal and for programs."""

from __future__ import annotations

from typing import Any

from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.prompts import source_line
from rag_app.records import Answer

SHOWN_CHARACTERS = 300


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values; the field names are part of the public interface."""
    return {
        "answer": answer.text,
        "citations": [
            {
                "marker": citation.marker,
                "chunk_id": citation.chunk_id,
                "filing": citation.filing,
                "item": citation.item,
                "text": citation.text,
            }
            for citation in answer.citations
        ],
        "figures": [
            {"text": figure.text, "found": figure.found, "marker": figure.marker}
            for figure in answer.figures
        ],
        "hits": [_hit_json(hit) for hit in answer.hits],
        "model": answer.model,
        "dim": answer.dim,
        "llm": answer.llm,
        "timings_ms": answer.timings_ms,
    }


def _hit_json(hit: NodeWithScore) -> dict[str, Any]:
    about = hit.node.metadata
    return {
        "chunk_id": hit.node.node_id,
        "score": hit.score,
        "cosine": about["cosine"],
        "rank": about["rank"],
        "filing": about["filing"],
        "item": about["item"],
    }


def sources_text(answer: Answer) -> str:
    """The cited passages, then a warning of figures that none of them shows."""
    nodes = {hit.node.node_id: hit.node for hit in answer.hits if isinstance(hit.node, TextNode)}
    lines = []
    for citation in answer.citations:
        node = nodes[citation.chunk_id]
        shown = " ".join(node.text.split())
        if len(shown) > SHOWN_CHARACTERS:
            shown = shown[: SHOWN_CHARACTERS - 1].rstrip() + "…"
        lines.append(
            f"[{citation.marker}] {source_line(node)} (cosine {node.metadata['cosine']:.3f})\n"
            f"    {shown}"
        )
    lines.append(figure_warning(answer))
    lines.append(f"model {answer.model}, {answer.dim} dimensions, LLM {answer.llm}")
    return "\n".join(filter(None, lines))


def figure_warning(answer: Answer) -> str:
    """Which figures of the answer no cited passage shows; empty when all are shown."""
    missing = dict.fromkeys(figure.text for figure in answer.figures if not figure.found)
    return f"Not found in the cited passages: {', '.join(missing)}" if missing else ""
