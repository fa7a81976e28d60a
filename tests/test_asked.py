"""What a question names: companies, years, quarters, forms, Items; and what the library lacks."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from rag_app.companies import companies_of
from rag_app.index.asked import Asked, read_asked
from rag_app.index.names import mentions
from rag_app.index.periods import times
from rag_app.records import Filing, Filters


def filing(company: str, ticker: str, ends: str, year: int = 0, form: str = "10-K") -> Filing:
    day = dt.date.fromisoformat(ends)
    return Filing(company, form, year or day.year, day, ends + company + form, "x", ticker)


FILINGS = [
    filing("NVIDIA Corp", "NVDA", "2023-01-29"),
    filing("NVIDIA Corp", "NVDA", "2024-01-28"),
    filing("NVIDIA Corp", "NVDA", "2025-07-27", 2026, "10-Q"),
    filing("Apple Inc.", "AAPL", "2023-09-30"),
    filing("Apple Inc.", "AAPL", "2024-09-28"),
    filing("Apple Inc.", "AAPL", "2025-06-28", 2025, "10-Q"),
    filing("The Home Depot, Inc.", "HD", "2025-02-02", 2024),
    filing("Meta Platforms, Inc.", "META", "2023-12-31"),
    filing("Target Corporation", "TGT", "2023-12-31"),
    filing("General Mills, Inc.", "GIS", "2023-05-28"),
    filing("Allstate Corp", "ALL", "2023-12-31"),
    filing("Ford Motor Co", "F", "2023-12-31"),
    filing("Johnson & Johnson", "JNJ", "2023-12-31"),
    filing("Microsoft Corporation", "MSFT", "2023-06-30"),
    filing("Microsoft Corporation", "", "2013-06-30"),
    filing("International Business Machines Corp", "", "1997-12-31", 0, "10-K405"),
]


def asked(question: str, explicit: Filters = Filters(), **options: bool) -> Asked:  # noqa: B008
    return read_asked(question, FILINGS, explicit, **options)


@pytest.mark.parametrize(
    ("question", "tickers"),
    [
        ("What was NVIDIA's revenue?", "NVDA"),
        ("nvidia revenue", "NVDA"),
        ("NVDA revenue", "NVDA"),
        ("$nvda revenue", "NVDA"),
        ("Revenue of Nvidia Corp.", "NVDA"),
        ("How does Home Depot see housing?", "HD"),
        ("home depot stores", "HD"),
        ("Is our home safe?", ""),
        ("In general, mills are closing", ""),
        ("Does Meta sell ads?", "META"),
        ("Which meta data is kept?", ""),
        ("What was Facebook's revenue?", "META"),
        ("What is the target for 2030?", ""),
        ("Target's sales", "TGT"),
        ("What of ALL that matters?", ""),
        ("Dividends of $ALL", "ALL"),
        ("What does the stock ALL pay?", "ALL"),
        ("Grade F is failing", ""),
        ("the $F dividend", "F"),
        ("Ford's trucks", "F"),
        ("Johnson and Johnson talc", "JNJ"),
        ("johnson & johnson talc", "JNJ"),
        ("Compare Apple with NVIDIA", "AAPL NVDA"),
        ("What is IBM's headcount?", "International Business Machines Corp"),
        ("What was revenue?", ""),
    ],
)
def test_companies_are_known_by_name_and_ticker(question: str, tickers: str) -> None:
    found = [mention.company.label for mention in mentions(question, companies_of(FILINGS))]
    assert found == ([tickers] if tickers.startswith("Inter") else tickers.split())


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("NVDA revenue in fiscal 2023", "NVDA fiscal 2023"),
        ("NVDA FY23 revenue", "NVDA fiscal 2023"),
        ("NVIDIA 2024 revenue", "NVDA fiscal 2024"),
        ("How did NVIDIA's revenue change from 2023 to 2024?", "NVDA fiscal 2023 and 2024"),
        ("NVIDIA revenue 2024 compared with 2023", "NVDA fiscal 2023 and 2024"),
        ("NVIDIA over the last two years", "NVDA fiscal 2023 and 2024"),
        ("NVIDIA's latest annual report", "NVDA period to 2024-01-28"),
        ("NVIDIA's most recent quarter", "NVDA period to 2025-07-27"),
        ("NVIDIA in Q2 of fiscal 2026", "NVDA period to 2025-07-27"),
        ("Apple's third quarter of 2025", "AAPL period to 2025-06-28"),
        ("NVIDIA's cash at January 28, 2024", "NVDA period to 2024-01-28"),
        ("NVIDIA and Apple margins in 2024", "NVDA and AAPL fiscal 2024"),
        ("the 10-Q of NVIDIA", "NVDA 10-Q"),
        ("IBM's 10-K", "International Business Machines Corp 10-K405"),
        ("Microsoft in 2013", "Microsoft Corporation fiscal 2013"),
        ("Microsoft", "MSFT and Microsoft Corporation"),
        ("risk factors in Item 1A of NVIDIA", "NVDA Item 1A"),
        ("Apple's 2024 Employee Stock Plan", "AAPL"),
        ("Apple's notes due 2024", "AAPL"),
        ("What does Apple expect for 2024?", "AAPL"),
        ("Apple's revenue of $2,024 million", "AAPL"),
        ("What was revenue in 2023?", "fiscal 2023"),
        ("What was revenue in 2024?", "all filings"),
        ("How are leases accounted for?", "all filings"),
    ],
)
def test_a_question_is_asked_of_what_it_names(question: str, says: str) -> None:
    found = asked(question)
    assert found.says == says
    assert found.by_itself == (says != "all filings")


@pytest.mark.parametrize(
    ("question", "note"),
    [
        (
            "NVIDIA's revenue in 2022",
            "The library holds no FY2022 10-K of NVDA (its 10-K of FY2024 shows some of it); fetch "
            "it with `python -m rag_app ingest --ticker NVDA --year 2022`.",
        ),
        (
            "NVIDIA from 2019 to 2021",
            "The library holds no FY2019 and FY2020 and FY2021 10-K of NVDA; fetch it with "
            "`python -m rag_app ingest --ticker NVDA --year 2019-2021`.",
        ),
        (
            "Apple's Q1 2025",
            "The library holds no 10-Q for Q1 of FY2025 of AAPL; fetch it with "
            "`python -m rag_app ingest --ticker AAPL --form 10-Q --year 2025`.",
        ),
        (
            "NVDA and AMD gross margin 2023",
            "No filing of AMD is in the library; fetch it: "
            "`python -m rag_app ingest --ticker AMD`.",
        ),
        ("IBM in 1996", "The library holds no FY1996 10-K of International Business Machines Corp"),
    ],
)
def test_what_the_library_lacks_is_said(question: str, note: str) -> None:
    assert [each[: len(note)] for each in asked(question).notes] == [note]


def test_nothing_is_said_of_what_is_no_company_and_no_year() -> None:
    for question in ("Is GAAP revenue $5 B?", "Apple, founded in 1976", "CEO and CFO pay at Apple"):
        assert not asked(question).notes, question


def test_explicit_filters_win_field_by_field() -> None:
    found = asked("Apple's revenue in 2024", Filters("NVDA"))
    assert found.filters == Filters("NVDA", fiscal_year=2024)
    assert found.notes == ("The question names AAPL; the filter that you set keeps to NVDA.",)
    assert asked("Apple in 2024", Filters(fiscal_year=2023)).filters == Filters(
        "AAPL", fiscal_year=2023
    )
    assert asked("the 10-Q of Apple", Filters(form="10-K")).filters == Filters("AAPL", "10-K")
    assert asked("Apple", Filters(period="2024-09")).filters == Filters("AAPL", period="2024-09")


def test_explicit_filters_are_never_widened() -> None:
    for explicit in (Filters("ZZZ"), Filters("MSFT"), Filters("NVDA", fiscal_year=1999)):
        found = asked("What was revenue?", explicit)
        assert (found.filters, found.by_itself) == (explicit, False)
    assert "no FY1999 10-K of NVDA" in asked("x", Filters("NVDA", fiscal_year=1999)).notes[0]
    assert "No filing of ZZZ" in asked("x", Filters(["NVDA", "ZZZ"])).notes[0]


def test_a_form_or_period_that_a_company_lacks_is_said_and_never_another_companys() -> None:
    found = asked("What was Home Depot's revenue?", Filters(form="10-Q"))
    assert (found.filters, found.sides) == (Filters("HD", "10-Q"), ())
    fetch = "fetch it with `python -m rag_app ingest --ticker HD --form 10-Q`"
    assert found.notes == (f"The library holds no 10-Q of HD; {fetch}.",)
    found = asked("What was Home Depot's revenue in 2023?", Filters(period="2023-09"))
    assert found.filters == Filters("HD", period="2023-09")
    assert found.notes == ("The library holds no filing of HD with a period to 2023-09.",)
    found = asked("Compare Apple and Home Depot in 2025", Filters(form="10-Q"))
    assert (found.filters, found.sides) == (Filters("AAPL", "10-Q", 2025), ())
    assert found.by_itself and "no 10-Q of HD" in found.notes[0]
    found = asked("x", Filters(["AAPL", "HD"], fiscal_year=2023), by_itself=False)
    assert (found.filters, found.by_itself) == (Filters("AAPL", fiscal_year=2023), False)
    assert "no FY2023 10-K of HD" in found.notes[0]


def test_without_the_words_only_explicit_filters_count() -> None:
    assert asked("Apple in 2024", by_itself=False) == Asked(Filters(), (), False)
    explicit = Filters(["NVDA", "AAPL"], fiscal_year=[2023, 2024])
    found = asked("Meta", explicit, by_itself=False)
    assert found.filters == explicit
    assert [str(side) for side in found.sides] == [
        "NVDA fiscal 2023",
        "NVDA fiscal 2024",
        "AAPL fiscal 2023",
        "AAPL fiscal 2024",
    ]


def test_sides_that_differ_are_named_one_by_one() -> None:
    found = asked("Compare the latest year of NVIDIA and Apple")
    assert found.says == "NVDA and AAPL period to 2024-01-28 and 2024-09-28"
    assert len(found.sides) == 2
    found = asked("Home Depot and Apple in 2023")
    assert [str(side) for side in found.sides] == ["HD", "AAPL fiscal 2023"]
    assert found.filters == Filters(["HD", "AAPL"])
    assert found.says == "HD; AAPL fiscal 2023"


def test_an_item_that_no_filing_has_is_no_filter() -> None:
    found = read_asked("Apple in Item 99", FILINGS, Filters(), has_item=lambda item: item == "7")
    assert found.filters == Filters("AAPL")


def test_a_library_of_one_company_needs_no_name() -> None:
    own = [each for each in FILINGS if each.ticker == "NVDA"]
    found = read_asked("How did revenue change from 2023 to 2024?", own, Filters())
    assert found.says == "fiscal 2023 and 2024"
    assert len(found.sides) == 2


def test_a_company_whose_name_has_no_letters_is_no_harm() -> None:
    nameless = filing("—", "", "2023-12-31")
    found = read_asked("What was NVIDIA's revenue?", [*FILINGS, nameless], Filters())
    assert found.filters == Filters("NVDA")


def test_years_of_dates_ranges_and_quarters() -> None:
    assert times("between 2021 and 2023").years == (2021, 2022, 2023)
    assert times("2021-23").years == (2021, 2022, 2023)
    assert times("2021 and 2023").years == (2021, 2023)
    assert times("as of 31 December 2022").years == ()
    assert times("as of 31 December 2022").dates == (dt.date(2022, 12, 31),)
    assert times("3Q23 and Q4 '24").quarters == ((2023, 3), (2024, 4))
    assert times("in the second quarter of fiscal year 2024").quarters == ((2024, 2),)
    assert times("the past 3 fiscal years").last_years == 3


def test_real_questions_are_never_sent_past_their_filing(shared_data: Path) -> None:
    """1,400 questions, of which a third name their company: the filter must admit its filing."""
    covers = {}
    with (shared_data / "filings/manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            form, ends = row["form"], row["period_end"]
            year = int(row["fiscal_year"]) if row.get("fiscal_year") else 0
            covers[row["file"]] = filing(row["company"], row["ticker"], ends, year, form)
    with (shared_data / "financial_qa_10k.csv").open(encoding="utf-8") as file:
        questions = [row["question"] for row in csv.DictReader(file)]
    rights = named = 0
    with (shared_data / "filings/gold_context_overlap.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        found = read_asked(questions[int(row["row_index"])], covers.values(), Filters())
        named += bool(found.filters.ticker)
        rights += found.filters.admits(covers[row["file"]])
    assert rights / len(rows) >= 0.995
    assert named > 400
