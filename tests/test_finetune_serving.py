"""Rows mapped onto served chunks, with wrong chunks beside them."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tiny import write_filing

from eval.rows import QaRow, load_qa_rows
from finetune.pairs import build_pairs
from finetune.serving_pairs import serving_pairs
from finetune.shelf import open_shelf
from finetune.wrong_chunks import KINDS, Gap, wrong_chunks
from rag_app.errors import DataError
from rag_app.filings.batch import ReadFile, read_files
from rag_app.filings.chunks import CHUNKER_VERSION
from rag_app.filings.read import read_filing
from rag_app.library import Library
from rag_app.records import CoverFlags

TICKER = "QUIL"


def store(library: Library, path: Path, ticker: str) -> None:
    """Read a filing and store its chunks; nothing here needs vectors."""
    read = partial(read_filing, max_bytes=50_000_000, flags=CoverFlags(ticker))
    for file in read_files([path], read, workers=1):
        assert isinstance(file, ReadFile), file
        library.add(file.parsed, file.chunks, path, CHUNKER_VERSION)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Two years of one company, and one of another."""
    folder = tmp_path_factory.mktemp("serving")
    library = Library(folder / "home")
    for year, revenue in ((2022, 38), (2023, 41)):
        store(library, write_filing(folder / "q.html", year=year, revenue=revenue), TICKER)
    other = write_filing(folder / "v.html", company="Vat & Co", product="vats", revenue=41)
    store(library, other, "VAT")
    return library


def row(id_: str, question: str, answer: str, context: str, filing: str = "2023_10K") -> QaRow:
    return QaRow(id_, question, answer, context, TICKER, filing)


REVENUE_2023 = "Revenue was $41 million in 2023. The rise came from bilge pumps for hospitals."
REVENUE_2022 = "Revenue was $38 million in 2022. The rise came from bilge pumps for hospitals."
COPPER = "A shortage of copper would raise what we pay for every unit of bilge pumps."


def filing_of(row_id: str) -> str:
    return row_id.partition("@")[2].partition(":")[0]


def test_a_context_goes_to_the_chunk_of_the_filing_that_the_row_names(library: Library) -> None:
    served = serving_pairs(
        [
            row("new", "What was revenue?", "$41 million", REVENUE_2023),
            row("old", "What was revenue?", "$38 million", REVENUE_2022, "2022_10K"),
            row("risk", "What of copper?", "", COPPER, "2022_10K"),
            row("none", "What of tin?", "", "A shortage of tin would not trouble us at all."),
            row("blank", "", "", COPPER),
            QaRow("far", "What was revenue?", "", REVENUE_2023, "MSFT", "2023_10K"),
        ],
        library,
    )
    assert [(one.id.partition("@")[0], filing_of(one.id)) for one in served.rows] == [
        ("new", f"{TICKER}_10-K_2023-12-31"),
        ("old", f"{TICKER}_10-K_2022-12-31"),
        ("risk", f"{TICKER}_10-K_2022-12-31"),
    ]
    assert served.mapped == {TICKER: (3, 4)}
    assert "3 of    4" in str(served)
    # Word for word what is embedded and served.
    passages = library.passages()
    assert all(one.context == passages[one.id.partition("@")[2]] for one in served.rows)
    assert build_pairs(served.rows, negatives=served.negatives).dataset.num_rows == 3


def test_another_year_serves_only_where_its_figures_agree(library: Library) -> None:
    off = f"Item 7. Management's Discussion and Analysis of Financial Condition {REVENUE_2023}"
    assert serving_pairs([row("off", "Revenue?", "", off)], library).mapped[TICKER] == (1, 1)
    off = off.replace("41", "40")
    assert serving_pairs([row("off", "Revenue?", "", off)], library).mapped[TICKER] == (1, 1)
    found = serving_pairs(
        [
            # Of the 2021 filing there is none; both others hold most of these words.
            row("risk", "What of copper?", "", COPPER, "2021_10K"),
            row("new", "What was revenue?", "$41 million", REVENUE_2023, "2021_10K"),
            # With another figure, but over four fifths of its runs of words stand there.
            row("off", "Revenue?", "$40 million", off, "2021_10K"),
            row("unnamed", "What was revenue?", "$38 million", REVENUE_2022, ""),
        ],
        library,
    )
    assert [(one.id.partition("@")[0], filing_of(one.id)[-10:-6]) for one in found.rows] == [
        ("risk", "2022"),  # the nearest year
        ("new", "2023"),
        ("unnamed", "2022"),
    ]


def test_wrong_chunks_come_from_the_same_company_and_never_show_the_answer(
    library: Library,
) -> None:
    asked = [
        row("new", "What was revenue?", "$41 million", REVENUE_2023),
        row("risk", "What would a shortage of copper raise?", "", COPPER),
    ]
    served = serving_pairs(asked, library, count=6)
    new, risk = (served.negatives[one.id] for one in served.rows)
    assert len(new) >= 3
    assert all("Quillfeather" in text for text in (*new, *risk))
    # Item 8's table shows 41,000 in thousands: the same figure.
    assert not any("41" in text.partition("\n")[2] for text in new)
    # The same paragraph of the year before is the hardest of all.
    assert any("Revenue was $38 million in 2022" in text for text in new)
    # The year before says of copper the same, word for word: it is as right.
    assert not any("copper" in text for text in risk)
    assert served == serving_pairs(asked, library, count=6)
    assert [len(found) for found in serving_pairs(asked, library, count=1).negatives.values()] == [
        1,
        1,
    ]


def test_without_figures_bm25_hits_need_a_lower_score(library: Library) -> None:
    filings = [one for one in library.filings().values() if one.filing.ticker == TICKER]
    with open_shelf(library, filings) as shelf:
        right = next(id_ for id_, text in shelf.texts.items() if "nine states" in text)
        risk = next(
            id_
            for id_, text in shelf.texts.items()
            if "copper" in text and shelf.filing_of[id_] == shelf.filing_of[right]
        )
        # BM25 prefers the risk to the right chunk, and nothing but the score tells them apart.
        asked = row("0", "Which unit needs copper?", "", "Branches in nine states.")
        hits = dict(shelf.lexical.query(asked.question, 50, set(shelf.filing_of)))
        assert hits[risk] > hits.get(right, 0.0)
        bm25 = KINDS["bm25"]
        assert risk not in list(bm25(Gap(asked, right, frozenset()), shelf, random.Random(0)))
        figured = replace(asked, answer="$7 million")
        assert risk in list(bm25(Gap(figured, right, frozenset()), shelf, random.Random(0)))


def test_a_chunk_that_holds_the_context_is_never_wrong(library: Library) -> None:
    filings = [one for one in library.filings().values() if one.filing.ticker == TICKER]
    with open_shelf(library, filings) as shelf:
        right = shelf.chunk_ids[f"{TICKER}_10-K_2023-12-31"][0]
        asked = row("0", "What is sold in nine states?", "", shelf.texts[right])
        free = set(wrong_chunks(Gap(asked, right, frozenset()), shelf, 50, 0))
        assert len(free) > 2
        assert right not in free
        held = frozenset(sorted(free)[:2])
        assert set(wrong_chunks(Gap(asked, right, held), shelf, 50, 0)) == free - held


def test_a_library_without_the_companies_is_one_sentence(library: Library, tmp_path: Path) -> None:
    far = QaRow("0", "a?", "", "b", "MSFT", "")
    for home in (library, Library(tmp_path)):
        with pytest.raises(DataError, match=r"No row is about .*ingest.*--ticker-column"):
            serving_pairs([far], home)


@pytest.mark.shared_data
def test_real_rows_find_their_chunks(shared_data: Path, tmp_path: Path) -> None:
    """NVIDIA's rows in its own 10-K: 97 of the 100 contexts stand there word for word."""
    library = Library(tmp_path)
    store(library, shared_data / "filings/NVDA_10-K_FY2023_2023-01-29.html", "NVDA")
    rows = [
        one
        for one in load_qa_rows(str(shared_data / "financial_qa_10k.csv"))
        if one.ticker == "NVDA"
    ]
    served = serving_pairs(rows, library)
    assert served.mapped["NVDA"][0] >= 97
    assert len(served.rows) < 130
    assert {len(found) for found in served.negatives.values()} == {4}
