"""Quote mode: without an LLM, the best sentences and table rows of the hits, word for word."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.citations import citation_of
from rag_app.chat.evidence import passage_entries
from rag_app.chat.growth import growth_line
from rag_app.chat.prompts import REFUSAL
from rag_app.chat.rows import is_row, scale_named, table_rows
from rag_app.chat.text import content_words, sentences
from rag_app.filings.style import is_units
from rag_app.index.embedder import Embedder

MAX_QUOTES = 4
QUOTES_OF_HIT = 2  # an answer often stands in two places of one passage
WORDS_WEIGHT = 0.5  # share of the question's words in the quote, beside the cosine
RANK_WEIGHT = 0.2  # of the first hit; the second gets half of it
SENTENCE_WORDS = 4  # fewer are a heading or a label
HEADING_WORDS = 12
PAIR_WORDS = 40  # two sentences that follow one another are quoted together up to this length
CLOSE_TO_BEST = 0.6  # a quote scoring below this share of the best one is left out
NOTE = "No LLM is configured, so these are the passages' own words."


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of one hit: a sentence or two, or a table row with its column heads."""

    marker: int
    text: str


def quote_answer(question: str, hits: Sequence[NodeWithScore], embedder: Embedder) -> str:
    """The best quotes, one a line with its marker, and a note that no LLM is configured.

    A question about a change gets an expression over a row's figures first (``growth.py``).
    """
    lines = quote_lines(best_quotes(question, hits, embedder))
    if not lines:
        return REFUSAL
    cited = [citation_of(marker, hit) for marker, hit in enumerate(hits, start=1)]
    shown = [entry for citation in cited for entry in passage_entries(citation)]
    if computed := growth_line(question, shown, _names(hits)):
        lines.insert(0, f"- {computed}")
    return "\n".join(lines) + f"\n\n{NOTE}"


def quote_lines(quotes: Sequence[Quote]) -> list[str]:
    """A line for each text that is quoted, with the markers of all hits that say it."""
    markers: dict[str, str] = {}  # two years' filings often say the same
    for quote in quotes:
        markers[quote.text] = markers.get(quote.text, "") + f"[{quote.marker}]"
    return [f"- {text} {marks}" for text, marks in markers.items()]


def best_quotes(
    question: str, hits: Sequence[NodeWithScore], embedder: Embedder
) -> tuple[Quote, ...]:
    """The quotes that fit the question, the best first: at most two a hit and four in all.

    Each is scored by its cosine with the question, half the share of the question's words that it
    holds, and a little for the rank of its hit.
    """
    quotes = [
        Quote(marker, text)
        for marker, hit in enumerate(hits, start=1)
        if isinstance(hit.node, TextNode)
        for text in dict.fromkeys(quotable(hit.node))
    ]
    if not quotes:
        return ()
    # Every passage is about the company asked for; its name tells no quote from another.
    wanted = content_words(question) - _names(hits)
    scores = _scores(question, wanted, quotes, embedder)
    ranked = sorted(range(len(quotes)), key=lambda row: -scores[row])
    floor = scores[ranked[0]] * CLOSE_TO_BEST
    chosen: list[Quote] = []
    for row in ranked:
        if scores[row] < floor or len(chosen) == MAX_QUOTES:
            break
        if _adds(quotes[row], chosen):
            chosen.append(quotes[row])
    return tuple(chosen)


def _adds(quote: Quote, chosen: Sequence[Quote]) -> bool:
    """Whether its hit has fewer than two quotes, neither of which says it already, or is in it."""
    of_hit = [each.text for each in chosen if each.marker == quote.marker]
    said = any(quote.text in text or text in quote.text for text in of_hit)
    return len(of_hit) < QUOTES_OF_HIT and not said


def _names(hits: Sequence[NodeWithScore]) -> frozenset[str]:
    """The words of the companies' names."""
    return frozenset[str]().union(*(content_words(h.node.metadata["company"]) for h in hits))


def quotable(node: TextNode) -> list[str]:
    """The sentences of a chunk and its table rows, each row under its heading and column heads.

    A row reads ``Revenue by segment (In millions), Total: 2023 $26,974; 2022 $26,914``. A chunk
    that continues a table has its head rows in the prefix, not in its own text.
    """
    prefix = node.metadata["prefix"].splitlines()[1:]  # behind the path
    own = node.text.splitlines()
    repeated = sum(map(is_row, prefix))
    heading = node.metadata["heading_path"].rsplit(" > ", 1)[-1]
    units = ""
    found: list[str] = []
    for rows, group in groupby((line for line in [*prefix, *own] if line.strip()), key=is_row):
        if rows:
            found += _row_quotes(list(group), repeated, heading, units)
            repeated = 0
            continue
        for line in group:
            if is_units(line):
                units = line if line.startswith("(") else f"({line})"
                continue
            if line in own:
                found += _sentence_quotes(line)
            if _is_heading(line):
                heading, units = line.rstrip(":"), ""
    return found


def _sentence_quotes(line: str) -> Iterator[str]:
    """The sentences of a paragraph, and each short one together with the one behind it.

    "A customer has sued. We have accrued nothing." answers what neither half answers.
    """
    whole = [s for s in sentences(line) if len(s.split()) >= SENTENCE_WORDS and not _is_heading(s)]
    yield from whole
    for first, second in pairwise(whole):
        if len(first.split()) + len(second.split()) <= PAIR_WORDS:
            yield f"{first} {second}"


def _is_heading(line: str) -> bool:
    return len(line.split()) <= HEADING_WORDS and not line.rstrip('"”’)').endswith((".", "?", "!"))


def _row_quotes(table: Sequence[str], repeated: int, heading: str, units: str) -> Iterator[str]:
    """A quote for each row with an amount; the first ``repeated`` rows only give context."""
    for row in table_rows(table, units):
        if row.line < repeated:
            continue
        unit = units or (row.corner if scale_named(row.corner) > 1 else "")
        title = " ".join(part for part in (_short(heading), unit) if part)
        parts = (title, *row.groups, row.label)
        label = ", ".join(dict.fromkeys(part for part in parts if part))
        yield f"{label}: {'; '.join(f'{value.head} {value.text}'.strip() for value in row.values)}"


def _short(heading: str) -> str:
    words = heading.split()
    return " ".join(words) if len(words) <= HEADING_WORDS else " ".join(words[-HEADING_WORDS:])


def _scores(
    question: str, wanted: frozenset[str], quotes: Sequence[Quote], embedder: Embedder
) -> list[float]:
    texts = [quote.text for quote in quotes]
    cosines = embedder.encode_documents(texts) @ embedder.encode_queries([question])[0]
    held = [wanted & content_words(text) for text in texts]
    in_quotes = Counter(word for words in held for word in words)
    weight = {word: math.log(1 + len(texts) / (1 + in_quotes[word])) for word in wanted}
    total = sum(weight.values()) or 1.0
    shares = [sum(weight[word] for word in words) / total for words in held]
    ranks = [RANK_WEIGHT / quote.marker for quote in quotes]
    return [float(s) for s in cosines + WORDS_WEIGHT * np.asarray(shares) + np.asarray(ranks)]
