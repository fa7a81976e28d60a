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
RANK_WEIGHT = 0.2  # of the first hit; the second gets half of it
SENTENCE_WORDS = 4  # fewer are a heading or a label
HEADING_WORDS = 12
CLOSE_TO_BEST = 0.75  # a quote scoring below this share of the best one is left out
NOTE = "No LLM is configured, so these are the passages' own words."


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of one hit: a sentence, or a table row with its column heads."""

    marker: int
    text: str


def quote_answer(question: str, hits: Sequence[NodeWithScore], embedder: Embedder) -> str:
    """The best quotes, one a line with its marker, and a note that no LLM is configured.

    At most one quote a hit and four in all; each is scored by its cosine with the question, half
    the share of the question's words that it holds, and a little for the rank of its hit.
    """
    quotes = [
        Quote(marker, text)
        for marker, hit in enumerate(hits, start=1)
        if isinstance(hit.node, TextNode)
        for text in quotable(hit.node)
    ]
    if not quotes:
        return "The indexed filings do not say."
    best: dict[int, tuple[float, Quote]] = {}
    for score, quote in zip(_scores(question, quotes, embedder), quotes, strict=True):
        if quote.marker not in best or score > best[quote.marker][0]:
            best[quote.marker] = (score, quote)
    ranked = sorted(best.values(), key=lambda pair: -pair[0])[:MAX_QUOTES]
    floor = ranked[0][0] * CLOSE_TO_BEST
    lines = [f"- {quote.text} [{quote.marker}]" for score, quote in ranked if score >= floor]
    return "\n".join(lines) + f"\n\n{NOTE}"


def quotable(node: TextNode) -> list[str]:
    """The sentences of a chunk and its table rows, each row under its heading and column heads.

    A row reads ``Revenue by segment, Total: 2023 $26,974; 2022 $26,914``. A chunk that continues
    a table has its header rows in the prefix, not in its own text.
    """
    found: list[str] = []
    heading = node.metadata["heading_path"].rsplit(" > ", 1)[-1]
    heads: list[str] = []
    within_rows = False
    prefix = node.metadata["prefix"].splitlines()
    for number, line in enumerate([*prefix, *node.text.splitlines()]):
        if not line.startswith("|"):
            own = sentences(line) if number >= len(prefix) else []
            found += [text for text in own if len(text.split()) >= SENTENCE_WORDS]
            if len(own) == 1:
                heading = own[0].rstrip(":")
            heads, within_rows = [] if number >= len(prefix) else heads, False
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if _has_figure(cells[1:]):
            found.append(_row(heading, heads, cells))
            within_rows = True
        elif not within_rows:
            heads = _stack(heads, cells)
    return found


def _row(heading: str, heads: Sequence[str], cells: Sequence[str]) -> str:
    pairs = [
        f"{heads[column] if column < len(heads) else ''} {cell}".strip()
        for column, cell in enumerate(cells)
        if column and cell
    ]
    label = ", ".join(part for part in (_short(heading), cells[0]) if part)
    return f"{label}: {'; '.join(pairs)}"


def _short(heading: str) -> str:
    words = heading.split()
    return " ".join(words) if len(words) <= HEADING_WORDS else " ".join(words[-HEADING_WORDS:])


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
    ranks = [RANK_WEIGHT / quote.marker for quote in quotes]
    return [float(s) for s in cosines + WORDS_WEIGHT * np.asarray(shares) + np.asarray(ranks)]
