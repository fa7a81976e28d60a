"""Twins: the same paragraph in another filing is shown once, another figure never hidden."""

from __future__ import annotations

import numpy as np
import pytest
from passages import text_node
from tiny import write_filing

from rag_app.index.embedder import Embedder
from rag_app.index.fusion import Pool
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.index.twins import are_twins, collapse
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.render import also_in

RISK = (
    "A shortage of copper would raise what we pay for every unit, and we may be unable to pass "
    "higher prices on to the hospitals that buy from us under contracts of 36 months."
)


def test_twins_share_words_figures_and_what_turns_them() -> None:
    assert are_twins(RISK, RISK.replace("A shortage", "Any shortage"))
    assert not are_twins(RISK, RISK.replace("36 months", "24 months"))
    assert not are_twins(RISK, RISK.replace("every unit", "every unit sold in 2023"))
    assert not are_twins(RISK, RISK.replace("may be", "may not be"))
    assert not are_twins(f"{RISK} Prices rose.", f"{RISK} Prices fell.")
    assert not are_twins(RISK.replace("36", "six"), RISK.replace("36", "nine"))
    assert not are_twins(RISK, f"{RISK} {RISK[::-1]}")  # as much again, of its own
    assert are_twins("Copper", "copper") and not are_twins("Copper", "Nickel")


def test_the_best_stays_and_stands_for_its_twins_in_other_filings() -> None:
    vectors = np.eye(4, 8, dtype=np.float32)
    vectors[2] = vectors[3] = vectors[0]
    texts = [RISK, "We lease a plant in Ohio.", RISK, RISK]
    read: list[int] = []

    def text_of(row: int) -> str:
        read.append(row)
        return texts[row]

    def found(*ids: str) -> Pool:
        return Pool(ids, vectors, np.zeros(4), np.zeros(4))

    years = found("A_2022:1", "A_2022:2", "A_2023:1", "A_2023:2")
    shown = collapse([2, 1, 0, 3], years, text_of, 5)
    # Row 3 stands in the same filing as the best: it is no twin of it, and has none left itself.
    assert [(each.row, each.twins) for each in shown] == [(2, (0,)), (1, ()), (3, ())]
    assert 1 not in read  # its vector lies far from all others
    four = collapse([2, 1, 0, 3], found("A:1", "B:1", "C:1", "D:1"), text_of, 1)
    assert [(each.row, each.twins) for each in four] == [(2, (0, 3))]


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory, minilm: Embedder) -> Snapshot:
    folder = tmp_path_factory.mktemp("years")
    files = [
        write_filing(folder / f"{year}.html", year=year, revenue=revenue)
        for year, revenue in ((2022, 37), (2023, 41))
    ]
    library = Library(folder / "home")
    assert not ingest(files, library, minilm, 384, max_file_mb=5).refused
    return open_snapshot(library, minilm, 384)


def test_a_paragraph_of_both_years_is_shown_once_with_both(two_years: Snapshot) -> None:
    question = "What would a shortage of copper do?"
    plain = FilingsRetriever(two_years, k=20, collapse=False).retrieve(question)
    hits = FilingsRetriever(two_years, k=20).retrieve(question)
    best = hits[0].node.metadata
    assert "shortage of copper" in hits[0].node.get_content()
    assert [place["fiscal_year"] for place in best["also_in"]] == [
        year for year in (2022, 2023) if year != best["fiscal_year"]
    ]
    assert best["also_in"][0]["filing"] != best["filing"] and best["also_in"][0]["form"] == "10-K"
    assert (
        also_in(text_node(hits[0])) == f"; also in 10-K fiscal {best['also_in'][0]['fiscal_year']}"
    )
    assert also_in(text_node(plain[0])) == ""
    twins = [place["chunk_id"] for hit in hits for place in hit.node.metadata["also_in"]]
    assert sorted([*twins, *(hit.node_id for hit in hits)]) == sorted(hit.node_id for hit in plain)
    assert hits[0].node_id == plain[0].node_id
    assert [hit.node.metadata["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    assert all(hit.node.metadata["also_in"] == [] for hit in plain)


def test_figures_of_both_years_stay_apart(two_years: Snapshot) -> None:
    hits = FilingsRetriever(two_years, k=20).retrieve("How large was revenue?")
    years = {
        hit.node.metadata["fiscal_year"] for hit in hits if "Revenue was" in hit.node.get_content()
    }
    assert years == {2022, 2023}
    alone = FilingsRetriever(two_years, k=20, filters=Filters(fiscal_year=2022)).retrieve("copper")
    assert all(hit.node.metadata["also_in"] == [] for hit in alone)
