"""An answer for people at a terminal and for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.answer import QUOTE_MODE
from rag_app.chat.prompts import source_line
from rag_app.records import Answer, Figure

SHOWN_CHARACTERS = 300


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values; the field names are part of the public interface."""
    return {
        "answer": answer.text,
        "searched_for": answer.searched_for,
        "filters": answer.filters.as_json(),
        "notes": list(answer.notes),
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
            {
                "text": figure.text,
                "found": figure.found,
                "marker": figure.marker,
                "verdict": figure.verdict,
                "detail": figure.detail,
            }
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
        "also_in": about["also_in"],
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
            f"[{citation.marker}] {source_line(node)} (cosine {node.metadata['cosine']:.3f}"
            f"{also_in(node)})\n    {shown}"
        )
    lines += figure_badges(answer)
    lines.append(figure_warning(answer))
    lines.append(_found_in(answer))
    lines.append(f"model {answer.model}, {answer.dim} dimensions, LLM {answer.llm}")
    return "\n".join(filter(None, lines))


def _found_in(answer: Answer) -> str:
    """``hits: NVDA_10-K_2023-01-29 (3), NVDA_10-K_2024-01-28 (2)``, or nothing without hits."""
    counts = Counter(str(hit.node.metadata["filing"]) for hit in answer.hits)
    return "hits: " * bool(counts) + ", ".join(f"{key} ({n})" for key, n in counts.items())


def also_in(node: TextNode) -> str:
    """``; also in 10-K fiscal 2022``: the other filings in which a passage stands, or nothing."""
    places = [
        f"{place['form']} fiscal {place['fiscal_year']}" for place in node.metadata["also_in"]
    ]
    return f"; also in {', '.join(places)}" if places else ""


def figure_warning(answer: Answer) -> str:
    """Which figures of the answer nothing shows, and what stands there instead; empty if none."""
    missing = dict.fromkeys(f.text for f in answer.figures if f.verdict == "not found")
    wrong = dict.fromkeys(
        f"{f.text} ({_where(f)}{f.detail})" for f in answer.figures if f.verdict == "contradicted"
    )
    lines = []
    if wrong:
        lines.append(f"Contradicted: {'; '.join(wrong)}")
    if missing:
        lines.append(f"Not found in the cited passages: {', '.join(missing)}")
    return "\n".join(lines)


def figure_badges(answer: Answer) -> list[str]:
    """What stands behind each figure that is shown: ``$26.97 billion: in passage 1``.

    In quote mode only what was computed: the other figures are the passages' own.
    """
    badges: list[str] = []
    for figure in answer.figures:
        if answer.llm == QUOTE_MODE and figure.verdict != "derived":
            continue
        if figure.verdict == "in passage":
            badges.append(f"{figure.text}: in passage {figure.marker}")
        elif figure.verdict == "equals XBRL":
            badges.append(f"{figure.text}: equals {figure.detail}")
        elif figure.verdict == "derived":
            badges.append(f"{figure.text}: derived, {_where(figure)}{figure.detail}")
    return list(dict.fromkeys(badges))


def _where(figure: Figure) -> str:
    return f"[{figure.marker}] " if figure.marker else ""
