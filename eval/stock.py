"""The filings protocol with stock LlamaIndex parts: plain text, its splitter, the default model.

What a person gets who follows the usual tutorial, beside ours on the same questions: systems
``stock-1024@384``, ``stock-256@384``, ``stock-256@64`` and ``stock-256-bm25``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.baseline_systems import bm25_scores
from eval.evalset import EvalSet
from eval.protocols.filings import Asked, filings_evalset
from eval.report import Scores
from eval.retrieval import Encoder, score
from rag_app.errors import LibraryError
from rag_app.library import Library
from rag_app.records import Filing, Filters

DIMS = {1024: (384,), 256: (384, 64)}
"""Chunk size in the splitter's tokens → the dimensions at which its chunks are scored."""
OVERLAP = {1024: 200, 256: 20}
"""Tokens that neighbouring chunks share: the splitter's default, and what its guides use for small
chunks."""
LEXICAL_TOKENS = 256
"""The chunks that BM25 is scored on."""


@dataclass(frozen=True, slots=True)
class Source:
    """A filing as it was given: what it is, and its file."""

    filing: Filing
    path: Path


def library_sources(library: Library) -> dict[str, Source]:
    """The files of a library by their name without ending.

    Raises:
        LibraryError: a filing's folder has lost its file.
    """
    sources = {}
    for stored in library.filings().values():
        found = sorted(stored.folder.glob("source.*"))
        if not found:
            raise LibraryError(f"{stored.folder} has lost its source; ingest the filing again.")
        sources[Path(stored.filing.source).stem] = Source(stored.filing, found[0])
    return sources


def stock_scores(
    asked: Sequence[Asked],
    sources: Mapping[str, Source],
    encoder: Encoder,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> Scores:
    """Score the stock parts over these files; ``encoder`` is that of all-MiniLM-L6-v2."""
    texts = {name: plain_text(source.path) for name, source in sources.items()}
    scores: Scores = {}
    for tokens, dims in DIMS.items():
        evalset = stock_evalset(asked, sources, texts, tokens)
        queries, corpus = list(evalset.queries), list(evalset.corpus)
        scores |= score(
            encoder.encode_queries(list(evalset.queries.values())),
            encoder.encode_documents(list(evalset.corpus.values()), on_progress),
            queries,
            corpus,
            evalset,
            dims,
            kind=f"stock-{tokens}",
        )
        if tokens == LEXICAL_TOKENS:
            scores |= bm25_scores(evalset, f"stock-{tokens}-bm25")
    return scores


def stock_evalset(
    asked: Sequence[Asked],
    sources: Mapping[str, Source],
    texts: Mapping[str, str],
    chunk_tokens: int,
) -> EvalSet:
    """The questions over the files' plain text in chunks of LlamaIndex's SentenceSplitter."""
    from llama_index.core.node_parser import SentenceSplitter

    splitter = SentenceSplitter(chunk_size=chunk_tokens, chunk_overlap=OVERLAP[chunk_tokens])
    passages: dict[str, str] = {}
    filing_of: dict[str, str] = {}
    for name, text in texts.items():
        for number, chunk in enumerate(splitter.split_text(text)):
            passages[f"{name}:{number}"] = chunk
            filing_of[f"{name}:{number}"] = name
    admitted = {
        company: tuple(
            id_
            for id_, name in filing_of.items()
            if Filters(ticker=company).admits(sources[name].filing)
        )
        for company in sorted({question.ticker for question in asked})
    }
    return filings_evalset(asked, passages, filing_of, admitted, passages)


def plain_text(path: Path) -> str:
    """A file's text as a simple reader gives it: no sections, tables as their words in a row."""
    data = path.read_bytes()
    if path.suffix == ".pdf":
        from rag_app.filings.pdf import printed_lines

        return "\n".join(printed_lines(data))
    if path.suffix in (".htm", ".html"):
        from lxml import etree, html

        tree = html.document_fromstring(data)
        etree.strip_elements(tree, "script", "style", "ix:header", with_tail=False)
        return "\n".join(str(text).strip() for text in tree.itertext() if text.strip())
    return data.decode("utf-8", "replace")
