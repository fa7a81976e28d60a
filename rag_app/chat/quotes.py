"""Quote mode: without an LLM, the best sentences and table rows of the hits, word for word."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.amounts import amount_asked, amount_fits, names_of
from rag_app.chat.citations import citation_of
from rag_app.chat.claims import Claim
from rag_app.chat.evidence import passage_entries
from rag_app.chat.growth import growth_line
from rag_app.chat.labels import TELLING, label_words
from rag_app.chat.margins import margin_line
from rag_app.chat.others import other_of
from rag_app.chat.prompts import REFUSAL
from rag_app.chat.quotable import Part, parts_of
from rag_app.chat.ratios import other_margin
from rag_app.chat.text import content_words
from rag_app.index.embedder import Embedder
from rag_app.index.fusion import Scores

MAX_QUOTES = 4
QUOTES_OF_HIT = 2  # an answer often stands in two places of one passage
WORDS_WEIGHT = 0.5  # share of the question's words in the quote, beside the cosine
RANK_WEIGHT = 0.2  # of the first hit; the second gets half of it
AMOUNT_WEIGHT = 0.7  # of a row or sentence that measures exactly what is asked
AMOUNT_FROM = 0.8  # below this it measures something else
ASIDE_WEIGHT = 0.4  # of what is about others than the company, or another kind of margin
CLOSE_TO_BEST = 0.6  # a quote scoring below this share of the best one is left out
NOTE = "No LLM is configured, so these are the passages' own words."


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of one hit: a sentence or two, or a table row with its column heads."""

    marker: int
    text: str


def quote_answer(question: str, hits: Sequence[NodeWithScore], embedder: Embedder) -> str:
    """The best quotes, one a line with its marker, and a note that no LLM is configured.

    A question about a change or a margin gets an expression over rows' figures first
    (``growth.py``, ``margins.py``).
    """
    lines = quote_lines(best_quotes(question, hits, embedder))
    cited = [citation_of(marker, hit) for marker, hit in enumerate(hits, start=1)]
    shown = [entry for citation in cited for entry in passage_entries(citation)]
    computed = growth_line(question, shown, names_of(hits)) or margin_line(question, hits)
    if computed:
        lines.insert(0, f"- {computed}")
    if not lines:
        return REFUSAL
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
    holds, and a little for the rank of its hit; one that gives the very amount asked for goes
    before those that merely speak of it (``amounts.py``).
    """
    found = [
        (Quote(marker, part.text), part)
        for marker, hit in enumerate(hits, start=1)
        if isinstance(hit.node, TextNode)
        for part in {each.text: each for each in parts_of(hit.node)}.values()
    ]
    if not found:
        return ()
    quotes = [quote for quote, _ in found]
    # Every passage is about the company asked for; its name tells no quote from another.
    wanted = content_words(question) - names_of(hits)
    scores = _scores(question, wanted, quotes, embedder)
    floor = max(scores) * CLOSE_TO_BEST
    claim = amount_asked(question, names_of(hits))
    ranks = np.asarray(scores)
    if claim:
        asked = claim.readings[0]
        aside = [
            bool(other_of([part.others], asked)) or other_margin(question, part.text)
            for _, part in found
        ]
        ranks = ranks - ASIDE_WEIGHT * np.array(aside)
        ranks = ranks + AMOUNT_WEIGHT * _amounts(claim, hits, found)
    chosen: list[tuple[Quote, Part]] = []
    for row in np.argsort(-ranks, kind="stable"):
        if ranks[row] < floor or len(chosen) == MAX_QUOTES:
            break
        quote, part = found[row]
        if _adds(quote, part, chosen):
            chosen.append((quote, part))
    if claim is None:
        return tuple(quote for quote, _ in chosen)
    return tuple(
        Quote(quote.marker, f"{quote.text} {part.lacks}".rstrip()) for quote, part in chosen
    )


def _adds(quote: Quote, part: Part, chosen: Sequence[tuple[Quote, Part]]) -> bool:
    """Whether its hit has fewer than two quotes, none of which says it, or a sentence of it."""
    of_hit = [each for other, each in chosen if other.marker == quote.marker]
    said = any(
        part.text in each.text
        or each.text in part.text
        or (part.prose and set(part.entries) & set(each.entries))
        for each in of_hit
    )
    return len(of_hit) < QUOTES_OF_HIT and not said


def _amounts(
    claim: Claim, hits: Sequence[NodeWithScore], found: Sequence[tuple[Quote, Part]]
) -> Scores:
    """How well each quote gives the amount asked for, from 0 to 1."""
    shown = [amount_fits(claim, marker, hit) for marker, hit in enumerate(hits, start=1)]
    asked = claim.readings[0]

    def fitting(quote: Quote, part: Part) -> float:
        if label_words(part.title) & TELLING - asked:  # the total of costs is no revenue
            return 0.0
        best = max(shown[quote.marker - 1].get(entry, 0.0) for entry in part.entries)
        return max(0.0, best - AMOUNT_FROM) / (1 - AMOUNT_FROM)

    return np.array([fitting(quote, part) for quote, part in found])


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
