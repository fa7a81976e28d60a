"""Quote mode: without an LLM, the best sentences and table rows of the hits, word for word."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.amounts import SEGMENT, STATEMENT, amount_asked, amount_fits, names_of
from rag_app.chat.citations import citation_of
from rag_app.chat.evidence import GROUPED, passage_entries
from rag_app.chat.growth import growth_line
from rag_app.chat.labels import TELLING, WEAK, label_words
from rag_app.chat.prompts import REFUSAL
from rag_app.chat.rows import is_row, scale_named, table_rows
from rag_app.chat.text import content_words, sentences
from rag_app.filings.style import is_units
from rag_app.index.embedder import Embedder
from rag_app.index.fusion import Scores

MAX_QUOTES = 4
QUOTES_OF_HIT = 2  # an answer often stands in two places of one passage
WORDS_WEIGHT = 0.5  # share of the question's words in the quote, beside the cosine
RANK_WEIGHT = 0.2  # of the first hit; the second gets half of it
SENTENCE_WORDS = 4  # fewer are a heading or a label
HEADING_WORDS = 12
PAIR_WORDS = 40  # two sentences that follow one another are quoted together up to this length
AMOUNT_WEIGHT = 0.7  # of a row or sentence that measures exactly what is asked
AMOUNT_FROM = 0.8  # below this it measures something else
CLOSE_TO_BEST = 0.6  # a quote scoring below this share of the best one is left out
_LEADS = re.compile(
    r":$|\b(?:following|accompanying) (?:tables?|charts?|graphs?)\b"
    r"|\b(?:tables?|charts?|graphs?) below\b",
    re.IGNORECASE,
)
_JOINING = ("less", "add", "plus", "effect of")  # as labels over rows they name nothing
_CUT_OFF = re.compile(r"[a-z](?![A-Z])")  # but "iPhone"
_ENDED = re.compile(r"[.?!;][\"”’)\]]*$")
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
    if computed := growth_line(question, shown, names_of(hits)):
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
    holds, and a little for the rank of its hit; one that gives the very amount asked for goes
    before those that merely speak of it (``amounts.py``).
    """
    found = [
        (Quote(marker, part.text), part)
        for marker, hit in enumerate(hits, start=1)
        if isinstance(hit.node, TextNode)
        for part in {each.text: each for each in _parts(hit.node)}.values()
    ]
    if not found:
        return ()
    quotes = [quote for quote, _ in found]
    # Every passage is about the company asked for; its name tells no quote from another.
    wanted = content_words(question) - names_of(hits)
    scores = _scores(question, wanted, quotes, embedder)
    floor = max(scores) * CLOSE_TO_BEST
    ranks = np.asarray(scores) + AMOUNT_WEIGHT * _amounts(question, hits, found)
    chosen: list[tuple[Quote, _Part]] = []
    for row in np.argsort(-ranks, kind="stable"):
        if ranks[row] < floor or len(chosen) == MAX_QUOTES:
            break
        quote, part = found[row]
        if _adds(quote, part, chosen):
            chosen.append((quote, part))
    return tuple(quote for quote, _ in chosen)


def _adds(quote: Quote, part: _Part, chosen: Sequence[tuple[Quote, _Part]]) -> bool:
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
    question: str, hits: Sequence[NodeWithScore], found: Sequence[tuple[Quote, _Part]]
) -> Scores:
    """How well each quote gives the amount asked for, from 0 to 1; 0 where none is asked."""
    claim = amount_asked(question, names_of(hits))
    if claim is None:
        return np.zeros(len(found))
    shown = [amount_fits(claim, marker, hit) for marker, hit in enumerate(hits, start=1)]
    asked = claim.readings[0]

    def fitting(quote: Quote, part: _Part) -> float:
        if label_words(part.title) & TELLING - asked:  # the total of costs is no revenue
            return 0.0
        best = max(shown[quote.marker - 1].get(entry, 0.0) for entry in part.entries)
        return max(0.0, best - AMOUNT_FROM) / (1 - AMOUNT_FROM)

    return np.array([fitting(quote, part) for quote, part in found])


@dataclass(frozen=True, slots=True)
class _Part:
    """Words of a passage that may be quoted; ``entries`` are the titles of what they show.

    ``title`` is what stands over a row whose own label is no more than "Total".
    """

    text: str
    entries: tuple[str, ...]
    title: str = ""
    prose: bool = False


def quotable(node: TextNode) -> list[str]:
    """The sentences of a chunk and its table rows, each row under its heading and column heads.

    A row reads ``Revenue by segment (In millions), Total: 2023 $26,974; 2022 $26,914``. A chunk
    that continues a table has its head rows in the prefix, not in its own text.
    """
    return [part.text for part in _parts(node)]


def _parts(node: TextNode) -> list[_Part]:
    prefix = node.metadata["prefix"].splitlines()[1:]  # behind the path
    own = node.text.splitlines()
    repeated = sum(map(is_row, prefix))
    heading, units = _statement(node) if repeated else "", ""
    found: list[_Part] = []
    for rows, group in groupby((line for line in [*prefix, *own] if line.strip()), key=is_row):
        if rows:
            found += _row_parts(list(group), repeated, heading, units)
            repeated, heading = 0, ""
            continue
        for line in group:
            if is_units(line):
                units = line if line.startswith("(") else f"({line})"
                continue
            if line in own:
                found += _sentence_parts(line)
            # What stands between a heading and a table parts them: the rows are not the heading's.
            heading = line.rstrip(":") if _is_heading(line) and label_words(line) else ""
            units = ""
    return found


def _statement(node: TextNode) -> str:
    """The heading over a table that the chunk continues, where it surely is that table's.

    Below any other heading sentences or another table may stand before this one: of 805 such
    chunks in 32 filings 628 were not right below theirs.
    """
    last = str(node.metadata["heading_path"].rsplit(" > ", 1)[-1])
    sure = STATEMENT.search(last) or SEGMENT.search(last)
    return last if sure and "notes" not in last.lower() else ""


def _sentence_parts(line: str) -> Iterator[_Part]:
    """The sentences of a paragraph, and each short one together with the one behind it.

    "A customer has sued. We have accrued nothing." answers what neither half answers. A sentence
    that a border of the chunk cut, and one that only leads to a table or a list, says nothing.
    """
    whole = [said for said in sentences(line) if _says(said)]
    titles = {said: " ".join(said.split()) for said in whole}
    for said in whole:
        yield _Part(said, (titles[said],), prose=True)
    for first, second in pairwise(whole):
        if len(first.split()) + len(second.split()) <= PAIR_WORDS:
            yield _Part(f"{first} {second}", (titles[first], titles[second]), prose=True)


def _says(sentence: str) -> bool:
    cut = _CUT_OFF.match(sentence) or not _ENDED.search(sentence)
    leads = _LEADS.search(sentence)
    return len(sentence.split()) >= SENTENCE_WORDS and not (cut or leads or _is_heading(sentence))


def _is_heading(line: str) -> bool:
    return len(line.split()) <= HEADING_WORDS and not line.rstrip('"”’)').endswith((".", "?", "!"))


def _row_parts(table: Sequence[str], repeated: int, heading: str, units: str) -> Iterator[_Part]:
    """A quote for each row with an amount; the first ``repeated`` rows only give context."""
    rows = list(table_rows(table, units))
    groups = {group.lower() for row in rows for group in row.groups}
    heading = "" if heading.lower() in groups else heading  # the rows of its group say so
    for row in rows:
        if row.line < repeated:
            continue
        unit = units or (row.corner if scale_named(row.corner) > 1 else "")
        title = " ".join(part for part in (_short(heading), unit) if part)
        said = [group for group in row.groups if group.lower() not in _JOINING]
        label = ", ".join(dict.fromkeys(part for part in (title, *said, row.label) if part))
        values = "; ".join(f"{value.head} {value.text}".strip() for value in row.values)
        entry = GROUPED.join((*row.groups, row.label)) or row.corner
        weak = not label_words(row.label) - WEAK
        yield _Part(f"{label}: {values}", (entry,), title if weak else "")


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
