"""Quote mode: without an LLM, the best sentences and table rows of the hits, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.text import content_words, sentences
from rag_app.index.embedder import Embedder

MAX_QUOTES = 4
WORDS_WEIGHT = 0.5  # share of the question's words in the quote, beside the cosine
CLOSE_TO_BEST = 0.75  # a quote scoring below this share of the best one is left out
NOTE = "No LLM is configured, so these are the passages' own words."


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of one hit: a sentence, or a table row with its column heads."""

    marker: int
    text: str


def quote_answer(question: str, hits: Sequence[NodeWithScore], embedder: Embedder) -> str:
    """The best quotes, one a line with its marker, and a note that no LLM is configured.

    At most one quote a hit and four in all; each is scored by its cosine with the question plus
    half the share of the question's words that it holds.
    """
    quotes = [
        Quote(marker, text)
        for marker, hit in enumerate(hits, start=1)
        if isinstance(hit.node, TextNode)
        for text in quotable(hit.node)
    ]
    if not quotes:
        return "The indexed filings do not say."
    scores = _scores(question, quotes, embedder)
    best: dict[int, tuple[float, Quote]] = {}
    for score, quote in zip(scores, quotes, strict=True):
        if quote.marker not in best or score > best[quote.marker][0]:
            best[quote.marker] = (score, quote)
    ranked = sorted(best.values(), key=lambda pair: -pair[0])[:MAX_QUOTES]
    floor = ranked[0][0] * CLOSE_TO_BEST
    lines = [f"- {quote.text} [{quote.marker}]" for score, quote in ranked if score >= floor]
    return "\n".join(lines) + f"\n\n{NOTE}"


def quotable(node: TextNode) -> list[str]:
    """The sentences of a text chunk; the rows of a table chunk, each under its column heads."""
    if node.metadata["kind"] != "table":
        return [sentence for sentence in sentences(node.text) if len(sentence.split()) >= 4]
    return _rows(node)


def _rows(node: TextNode) -> list[str]:
    """Table rows as ``label: head value; head value``, out of Markdown.

    A chunk that continues a table has its header rows in the prefix, not in its own text.
    """
    heads: list[str] = []
    rows: list[str] = []
    for line in f"{node.metadata['prefix']}\n{node.text}".splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|") or set(line) <= set("|-: "):
            continue
        if not _has_figure(cells[1:]):
            heads = _stack(heads, cells) if not rows else heads
            continue
        pairs = [
            f"{heads[column]} {cell}".strip() if column < len(heads) else cell
            for column, cell in enumerate(cells)
            if column and cell
        ]
        rows.append(f"{cells[0]}: {'; '.join(pairs)}" if cells[0] else "; ".join(pairs))
    return rows or sentences(node.text)


def _has_figure(cells: Sequence[str]) -> bool:
    """Whether a cell holds an amount; a year or a date is a column head."""
    return any(
        any(c.isdigit() for c in cell) and not cell.strip().isalpha() and not _is_date(cell)
        for cell in cells
    )


def _is_date(cell: str) -> bool:
    words = cell.replace(",", " ").split()
    return bool(words) and (
        (len(words) == 1 and words[0].isdigit() and 1900 <= int(words[0]) <= 2099)
        or any(word.isdigit() and 1900 <= int(word) <= 2099 for word in words[1:])
    )


def _stack(heads: list[str], cells: list[str]) -> list[str]:
    """Head rows above one another: "Year Ended" over "Jan 29, 2023"."""
    width = max(len(heads), len(cells))
    upper = heads + [""] * (width - len(heads))
    lower = cells + [""] * (width - len(cells))
    return [f"{a} {b}".strip() if a != b else a for a, b in zip(upper, lower, strict=True)]


def _scores(question: str, quotes: Sequence[Quote], embedder: Embedder) -> list[float]:
    texts = [quote.text for quote in quotes]
    cosines = embedder.encode_documents(texts) @ embedder.encode_queries([question])[0]
    wanted = content_words(question)
    shares = [len(wanted & content_words(text)) / max(1, len(wanted)) for text in texts]
    return [float(score) for score in cosines + WORDS_WEIGHT * np.asarray(shares)]
