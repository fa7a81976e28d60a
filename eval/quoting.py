"""Quote mode measured: how often the quotes hold what the reference answer says.

A reference with figures is held when every figure that the question does not name stands in the
quotes (``rag_app/chat/figures.py``); one without, when at least half of its words do, those of the
question left out. The same is asked of all passages shown, which is the most that quotes can do,
and of the row's own context, which is the most that the measure can give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from llama_index.core.schema import NodeWithScore, TextNode

from eval.cache import CachedEmbedder
from eval.protocols.filings import OVERLAP, OVERLAP_COLUMNS
from eval.rows import check_columns, load_qa_rows
from eval.sources import read_records
from eval.stored import AskedEmbedder
from rag_app.chat.amounts import with_amounts
from rag_app.chat.figures import numbers_in, shows
from rag_app.chat.quotable import quotable
from rag_app.chat.quotes import best_quotes
from rag_app.chat.text import content_words
from rag_app.filings.chunks import passage_text
from rag_app.index.balanced import asked_of, retriever_of
from rag_app.index.embedder import Embedder, Vectors
from rag_app.index.retriever import served_retriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters
from rag_app.settings import Settings

WORDS_HELD = 0.5
FIRST, THREE, ALL, SHOWN, GOLD = (
    "first quote",
    "first three quotes",
    "all quotes",
    "passages shown",
    "own context",
)
PLACES = (FIRST, THREE, ALL, SHOWN, GOLD)
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Reference:
    """A row whose filing is in the library; ``verbatim`` tells that its context stands there."""

    id: str
    question: str
    answer: str
    context: str
    ticker: str
    verbatim: bool

    @property
    def has_figures(self) -> bool:
        """Whether it is judged by figures; else by words."""
        return bool(self.figures)

    @property
    def figures(self) -> list[str]:
        """The figures of the answer that the question does not name, as written."""
        return [n.text for n in numbers_in(self.answer) if not shows(self.question, n)]

    @property
    def words(self) -> frozenset[str]:
        """Stems of the answer that the question does not name."""
        return content_words(self.answer) - content_words(self.question)


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a question was answered with, and place → whether that holds the reference."""

    reference: Reference
    quotes: tuple[str, ...]
    held: Mapping[str, bool]


def load_references(data: str, companies: Sequence[str] = ()) -> list[Reference]:
    """The rows that the overlap beside ``data`` ties to a filing; those of some companies.

    Raises:
        DataError: a file is missing or malformed.
    """
    path = Path(data).expanduser().parent / OVERLAP
    records = list(read_records(path))
    check_columns(str(path), records, OVERLAP_COLUMNS)
    rows = {row.id: row for row in load_qa_rows(data)}
    found = []
    for record in records:
        row, ticker = rows[str(record["row_index"])], str(record["ticker"])
        if row.question.strip() and row.answer.strip() and (not companies or ticker in companies):
            verbatim = str(record["verbatim"]) == "1"
            found.append(Reference(row.id, row.question, row.answer, row.context, ticker, verbatim))
    return found


def holds(text: str, reference: Reference) -> bool:
    """Whether a text says what the reference answer says; one that adds nothing is held."""
    figures = [n for n in numbers_in(reference.answer) if not shows(reference.question, n)]
    if figures:
        return all(shows(text, figure) for figure in figures)
    words = reference.words
    return len(words & content_words(text)) >= WORDS_HELD * len(words)


def measure_quotes(
    snapshot: Snapshot,
    settings: Settings,
    references: Sequence[Reference],
    on_asked: Progress = lambda count: None,
) -> list[Quoted]:
    """Ask each question of its company as chat does, and judge the quotes.

    Raises:
        LibraryError: the library lacks a company's filings.
    """
    home = snapshot.library.home
    asked = AskedEmbedder(snapshot.embedder, home, [each.question for each in references])
    found = []
    for reference in references:
        found.append(_hits(snapshot, settings, reference, asked))
        on_asked(1)
    texts = {text for hits in found for hit in hits for text in _quotable(hit)}
    known = QuotesEmbedder(asked, home, sorted(texts))
    return [_judge(each, hits, known) for each, hits in zip(references, found, strict=True)]


class QuotesEmbedder(Embedder):
    """An embedder that has the vectors of all quotes already, from the cache where they are."""

    def __init__(self, asked: AskedEmbedder, home: Path, texts: Sequence[str]) -> None:
        super().__init__(asked.spec)
        self._asked = asked
        vectors = CachedEmbedder(asked, home).encode_documents(texts)
        self._known = dict(zip(texts, vectors, strict=True))

    def encode_queries(self, queries: Sequence[str]) -> Vectors:
        """As ``Embedder.encode_queries``."""
        return self._asked.encode_queries(queries)

    def encode_documents(
        self, texts: Sequence[str], on_progress: Progress | None = None
    ) -> Vectors:
        """The vectors of quotes that were announced."""
        return np.stack([self._known[text] for text in texts])


def _hits(
    snapshot: Snapshot, settings: Settings, reference: Reference, asked: Embedder
) -> list[NodeWithScore]:
    from llama_index.core.schema import QueryBundle

    retriever = served_retriever(snapshot, settings, Filters(ticker=reference.ticker))
    question = reference.question
    filters = asked_of(snapshot, question, retriever.filters, by_itself=settings.auto_filter)
    vector = asked.encode_queries([question])[0].tolist()
    hits = retriever_of(retriever, filters).retrieve(QueryBundle(question, embedding=vector))
    return with_amounts(question, hits, retriever, filters)


def _quotable(hit: NodeWithScore) -> list[str]:
    return quotable(hit.node) if isinstance(hit.node, TextNode) else []


def _judge(reference: Reference, hits: Sequence[NodeWithScore], embedder: Embedder) -> Quoted:
    quotes = [quote.text for quote in best_quotes(reference.question, hits, embedder)]
    quotes = list(dict.fromkeys(quotes))
    passages = [passage_text(hit.node) for hit in hits if isinstance(hit.node, TextNode)]
    texts = {
        FIRST: quotes[:1],
        THREE: quotes[:3],
        ALL: quotes,
        SHOWN: passages,
        GOLD: [reference.context],
    }
    held = {place: holds("\n".join(parts), reference) for place, parts in texts.items()}
    return Quoted(reference, tuple(quotes), held)
