"""Row ``query``: one question, embedding to hits with text, against LlamaIndex's retriever."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from eval.benches.clocks import percentiles_ms
from eval.benches.measured import Aim, Measured
from eval.benches.plain_chroma import plain_collection
from eval.benches.plain_llama import retriever_over, stock_embedding
from eval.benches.questions import questions_of
from eval.benches.turns import BLOCK, in_turns
from eval.benches.workbench import Workbench, copy_filings, indexed_ids
from rag_app.index.balanced import asked_of, retriever_of
from rag_app.index.retriever import FilingsRetriever, served_retriever
from rag_app.index.serving import open_snapshot
from rag_app.records import Filters

SHARE_OF_STOCK = 0.4


def time_query(bench: Workbench) -> Measured:
    """Ask both, in turns, over the same chunks with the same full-width vectors.

    Ours is the whole read path as it is served: filters out of the question, BM25, rescoring,
    twins. The stock retriever searches one Chroma collection, texts and metadata in it.

    Raises:
        DataError: LlamaIndex's packages are not installed.
        LibraryError: the library is not indexed with this model, or damaged.
    """
    spec, settings = bench.embedder.spec, bench.settings
    with bench.home() as home, bench.folder() as model, bench.folder() as store:
        library = copy_filings(bench.library, home, spec.fingerprint)
        snapshot = open_snapshot(library, bench.embedder, bench.dim)
        retriever = served_retriever(snapshot, settings, Filters())
        embedding = stock_embedding(bench.embedder, model)
        ids = indexed_ids(snapshot)
        vectors = snapshot.opened.gather(ids)
        nodes = [snapshot.chunk(id_) for id_ in ids]
        questions = questions_of(library, bench.sizes.questions)
        with plain_collection(store) as collection:
            stock = retriever_over(collection, nodes, vectors, embedding, settings.k)
            asked: dict[str, Callable[[str], int]] = {
                "stock": lambda question: len(stock.retrieve(question)),
                "ours": lambda question: len(served_hits(retriever, question)),
            }
            answered = in_turns(asked, questions)
    figures = {name: percentiles_ms([s for s, _ in found]) for name, found in answered.items()}
    shares = {name: figures["ours"][name] / figures["stock"][name] for name in figures["ours"]}
    counted = {
        name: {"hits a question": statistics.mean(hits for _, hits in found)}
        for name, found in answered.items()
    }
    return Measured(
        f"{len(ids)} chunks, {bench.sizes.questions} questions in turns of {BLOCK}, {spec.name}, "
        f"{settings.k} hits. Ours at {bench.dim} dimensions with encoder "
        f"{bench.embedder.encoder.name}, BM25 {'on' if settings.lexical else 'off'}; stock: "
        f"HuggingFaceEmbedding (torch) and ChromaVectorStore at {spec.width}.",
        {
            "stock": figures["stock"] | counted["stock"],
            "ours": figures["ours"] | counted["ours"],
            "ours / stock": shares,
        },
        tuple(
            Aim(f"{name[:3]} of the stock's", share, SHARE_OF_STOCK, at_most=True)
            for name, share in shares.items()
        ),
    )


def served_hits(retriever: FilingsRetriever, question: str) -> list[object]:
    """The hits of a question as the chat asks it: its words set filters."""
    asked = asked_of(retriever.snapshot, question, Filters(), by_itself=True)
    return list(retriever_of(retriever, asked).retrieve(question))
