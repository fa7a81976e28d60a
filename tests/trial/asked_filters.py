"""What filters that a question sets by itself do to recall, beside none and the right company's.

    RAG_HOME=HOME python tests/trial/asked_filters.py --protocol paraphrased \
        --data tests/retrieval/paraphrased.jsonl --models minilm,filings-minilm

Searches are the served ones (fused, rescored) over the library's stored vectors; a comparison is
balanced over its filings, as in chat.
"""

from __future__ import annotations

import argparse

import numpy as np
from llama_index.core.schema import QueryBundle

from eval.evalset import EvalSet
from eval.protocols import Choices, build_evalset
from eval.stored import open_stored
from rag_app.index.balanced import asked_of, retriever_of, within
from rag_app.index.embedder import Embedder
from rag_app.index.lexical import lexical_of
from rag_app.index.models import resolve_model
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.settings import load_settings

K = 10


def main() -> None:
    """Ask each question three ways, of each model; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protocol", choices=("filings", "paraphrased"), required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--companies", default="", help="tickers with commas (filings protocol)")
    parser.add_argument("--models", required=True, help="names with commas")
    parser.add_argument("--dim", type=int, default=128)
    args = parser.parse_args()
    home = load_settings().home
    companies = tuple(filter(None, args.companies.split(",")))
    evalset = build_evalset(args.protocol, args.data, home, Choices(companies=companies))
    library = Library(home)
    print("| model | filter | recall@10 | recall@1 |\n|---|---|---:|---:|")
    with lexical_of(evalset.corpus) as lexical:
        for model in args.models.split(","):
            embedder = Embedder(resolve_model(model, home))
            snapshot = open_stored(library, embedder, [args.dim], list(evalset.corpus), lexical)[
                args.dim
            ]
            for name, (tenth, first) in _asked(snapshot, embedder, evalset).items():
                print(f"| {model} at {args.dim} | {name} | {tenth:.3f} | {first:.3f} |")


def _asked(
    snapshot: Snapshot, embedder: Embedder, evalset: EvalSet
) -> dict[str, tuple[float, float]]:
    """Filter → recall@10 and recall@1, a question with any right passage counting 1."""
    vectors = embedder.encode_queries(list(evalset.queries.values()))
    ranks: dict[str, list[tuple[bool, bool]]] = {}
    named = 0
    for (query_id, question), vector in zip(evalset.queries.items(), vectors, strict=True):
        bundle = QueryBundle(question, embedding=vector.tolist())
        plain = FilingsRetriever(snapshot, k=K, collapse=False)
        asked = asked_of(snapshot, question, Filters(), by_itself=True)
        named += bool(asked.filters)
        found = {
            "none": plain.retrieve(bundle),
            "from the question": retriever_of(plain, asked).retrieve(bundle),
            "the right company": within(
                plain, Filters(ticker=evalset.groups[query_id]), K
            ).retrieve(bundle),
        }
        right = set(evalset.qrels.get(query_id, {}))
        for name, hits in found.items():
            ids = [hit.node_id for hit in hits][:K]
            ranks.setdefault(name, []).append(
                (bool(right & set(ids)), ids[:1] != [] and ids[0] in right)
            )
    ranks = {
        f"{name} ({named} of {len(vectors)} set one)" if name == "from the question" else name: got
        for name, got in ranks.items()
    }
    return {name: tuple(np.mean(got, axis=0)) for name, got in ranks.items()}


if __name__ == "__main__":
    main()
