"""Rows ``search`` and ``filter``: search alone, as it is served, against Chroma's ``query``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from eval.benches.clocks import percentiles_ms
from eval.benches.measured import Aim, Measured
from eval.benches.plain_chroma import fill_plain, plain_collection
from eval.benches.questions import questions_of
from eval.benches.resampled import FEW, library_passages, write_resampled
from eval.benches.turns import BLOCK, in_turns
from eval.benches.workbench import Workbench, indexed_ids
from rag_app.index.build import build_index
from rag_app.index.embedder import Vectors, truncate
from rag_app.index.retriever import POOL
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters
from rag_app.sealed import writer_lock

if TYPE_CHECKING:
    from eval.benches.plain_chroma import Collection

HITS = 10
SEARCH_SHARE, FILTER_SHARE, RECALL = 0.5, 0.02, 0.99
Search = Callable[[Vectors], list[str]]


@dataclass(frozen=True, slots=True)
class Ground:
    """The same chunks in our index and in plain Chroma, with (n, width) vectors and questions'."""

    snapshot: Snapshot
    plain: Collection
    ids: list[str]
    vectors: Vectors
    questions: Vectors


def time_search(bench: Workbench) -> Measured:
    """Candidates at the small dimension, rescored at full width, against Chroma at full width."""
    with _ground(bench) as ground:
        spec, dim = bench.embedder.spec, bench.dim
        snapshot, start = ground.snapshot, bench.embedder.spec.start_of(dim)

        def ours(question: Vectors) -> list[str]:
            cut = truncate(question[np.newaxis], dim, start)[0]
            found = snapshot.nearest(cut, POOL, Filters())
            return _best(found, snapshot.opened.gather(found) @ question)

        runs: dict[str, Search] = {
            "Chroma": lambda question: _plain(ground.plain, question),
            "ours": ours,
        }
        taken, recalls = _in_turns(runs, ground, range(len(ground.ids)))
    share = taken["ours"]["p50, ms"] / taken["Chroma"]["p50, ms"]
    return Measured(
        f"{bench.sizes.rows} chunk vectors of {spec.name}, {bench.sizes.questions} questions in "
        f"turns of {BLOCK}, {HITS} hits. Chroma: `query` at {spec.width} dimensions, its default "
        f"graph. Ours: {POOL} candidates at {dim}, rescored at {spec.width}.",
        {
            **{name: taken[name] | {f"recall@{HITS}": recalls[name]} for name in runs},
            "ours / Chroma": {"p50, ms": share},
        },
        (
            Aim("p50 of Chroma's", share, SEARCH_SHARE, at_most=True),
            Aim(f"recall@{HITS} against exact search", recalls["ours"], RECALL),
        ),
    )


def time_filter(bench: Workbench) -> Measured:
    """The chunks of one company: an exact scan of its vectors, against Chroma's ``where``."""
    with _ground(bench) as ground:
        spec, filters = bench.embedder.spec, Filters(FEW)
        snapshot, start = ground.snapshot, spec.start_of(bench.dim)
        admitted = set(snapshot.admitted_chunks(filters))
        rows = [row for row, id_ in enumerate(ground.ids) if id_ in admitted]

        def ours(question: Vectors) -> list[str]:
            cut = truncate(question[np.newaxis], bench.dim, start)[0]
            found = snapshot.nearest(cut, POOL, filters)
            return _best(found, snapshot.opened.gather(found) @ question)

        runs: dict[str, Search] = {
            "Chroma": lambda question: _plain(ground.plain, question, {"ticker": FEW}),
            "ours": ours,
        }
        taken, recalls = _in_turns(runs, ground, rows)
    share = taken["ours"]["p50, ms"] / taken["Chroma"]["p50, ms"]
    return Measured(
        f"{bench.sizes.rows} chunk vectors of {spec.name}, a filter that admits {len(rows)} of "
        f"them ({len(rows) / bench.sizes.rows:.2%}), {bench.sizes.questions} questions in turns "
        f"of {BLOCK}, {HITS} hits. Chroma: `query` with `where` at {spec.width} dimensions; ours: "
        f"the admitted vectors scanned at {bench.dim}, the best {POOL} rescored at {spec.width}.",
        {
            **{name: taken[name] | {f"recall@{HITS}": recalls[name]} for name in runs},
            "ours / Chroma": {"p50, ms": share},
        },
        (
            Aim("p50 of Chroma's", share, FILTER_SHARE, at_most=True),
            Aim(f"recall@{HITS} against exact search", recalls["ours"], 1.0),
        ),
    )


@contextmanager
def _ground(bench: Workbench) -> Iterator[Ground]:
    fingerprint = bench.embedder.spec.fingerprint
    asked = questions_of(bench.library, bench.sizes.questions)
    questions = bench.embedder.encode_queries(asked)
    passages = library_passages(bench.library, fingerprint)
    with bench.home() as home, bench.folder() as store:
        library = write_resampled(passages, home, fingerprint, bench.sizes.rows)
        with writer_lock(home):
            build_index(library, bench.embedder, bench.dim)
        snapshot = open_snapshot(library, bench.embedder, bench.dim)
        ids = indexed_ids(snapshot)
        vectors = snapshot.opened.gather(ids)
        companies = [id_.partition("_")[0] for id_ in ids]
        with plain_collection(store) as plain:
            fill_plain(plain, ids, vectors, companies)
            yield Ground(snapshot, plain, ids, vectors, questions)


def _plain(
    collection: Collection, question: Vectors, where: dict[str, Any] | None = None
) -> list[str]:
    found = collection.query(
        query_embeddings=cast("list[Sequence[float]]", [question]),
        n_results=HITS,
        where=where,
        include=["distances"],
    )
    return found["ids"][0]


def _best(ids: Sequence[str], cosines: Vectors) -> list[str]:
    return [ids[row] for row in np.argsort(-cosines, kind="stable")[:HITS]]


def _in_turns(
    runs: dict[str, Search], ground: Ground, rows: Sequence[int]
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Milliseconds of each, and the share of the exact best among ``rows`` that it finds."""
    shares: dict[str, list[float]] = {name: [] for name in runs}
    place_of = {ground.ids[row]: place for place, row in enumerate(rows)}
    wanted = min(HITS, len(place_of))
    # Before the clock starts: to read all vectors between two questions empties the caches of both.
    cosines = ground.questions @ ground.vectors[list(rows)].T
    for run in runs.values():  # untimed: files get mapped
        for question in ground.questions:
            run(question)
    answered = in_turns(runs, list(ground.questions))
    for row, near in enumerate(cosines):
        least = np.partition(near, -wanted)[-wanted] - 1e-6
        for name in runs:
            # A passage that stands twice has equals: any of those as near as the last is right.
            found = answered[name][row][1]
            right = sum(id_ in place_of and near[place_of[id_]] >= least for id_ in found)
            shares[name].append(right / wanted)
    return (
        {name: percentiles_ms([s for s, _ in found]) for name, found in answered.items()},
        {name: float(np.mean(each)) for name, each in shares.items()},
    )
