"""A file to a ParsedFiling: type by content, flags over the document, one sentence per refusal."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from rag_app.errors import FilingError
from rag_app.filings import read as reader
from rag_app.filings.cover import Cover, normal_form, parse_date
from rag_app.filings.html import html_blocks
from rag_app.filings.read import read_filing
from rag_app.records import CoverFlags

PROSE = "We make sensors for refineries and sell them in nine countries. " * 10
COVER = (
    "<p>FORM 10-K</p><p>For the fiscal year ended: June 30, 2013</p>"
    "<p>LARKSPUR CORPORATION</p><p>(Exact name of registrant as specified in its charter)</p>"
)
BODY = f"<p><b>Item 1. Business</b></p><p>{PROSE}</p><p><b>Item 7. MD&amp;A</b></p><p>{PROSE}</p>"


def fact(name: str, value: str) -> str:
    return f'<p><ix:nonNumeric name="dei:{name}">{value}</ix:nonNumeric></p>'


def write(folder: Path, content: str | bytes, name: str = "filing.htm") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_printed_cover(tmp_path: Path) -> None:
    path = write(tmp_path, f"<html><body>{COVER}{BODY}</body></html>", "wrong-ending.pdf")
    parsed = read_filing(path, max_bytes=10**6)
    filing = parsed.filing
    assert (filing.company, filing.form) == ("Larkspur Corporation", "10-K")
    assert (filing.period_end, filing.fiscal_year) == (dt.date(2013, 6, 30), 2013)
    assert filing.ticker == ""
    assert filing.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert filing.source == str(path)
    assert parsed.health.items_found == ("1", "7")
    assert "8" in parsed.health.items_missing


def test_facts_stand_above_print_and_flags_above_both(tmp_path: Path) -> None:
    facts = "".join(
        (
            fact("EntityRegistrantName", "LARKSPUR INSTRUMENTS, INC. /DE/"),
            fact("TradingSymbol", "LKSP"),
            fact("EntityCentralIndexKey", "0000012345"),
            fact("DocumentType", "10-K/A"),
            fact("DocumentPeriodEndDate", "February&#160;2, 2025"),
            fact("DocumentFiscalYearFocus", "2024"),
        )
    )
    path = write(tmp_path, f"<html><body><div>{facts}</div>{COVER}{BODY}</body></html>")
    filing = read_filing(path, max_bytes=10**6).filing
    assert (filing.company, filing.ticker) == ("Larkspur Instruments, Inc.", "LKSP")
    assert filing.key == "LKSP_10-K-A_2025-02-02"
    assert filing.fiscal_year == 2024
    filing = read_filing(
        path,
        max_bytes=10**6,
        flags=CoverFlags("lark", "10-q", 2020, dt.date(2020, 3, 31)),
    ).filing
    assert filing.key == "LARK_10-Q_2020-03-31"
    assert filing.fiscal_year == 2020


def test_the_printed_form_of_a_small_business(tmp_path: Path) -> None:
    body = COVER.replace("10-K", "10-KSB40") + BODY
    assert read_filing(write(tmp_path, body), max_bytes=10**6).filing.form == "10-KSB"


def test_what_edgar_lists_stands_between_what_is_marked_up_and_print(tmp_path: Path) -> None:
    facts = fact("EntityRegistrantName", "Larkspur Inc.") + fact("DocumentType", "10-K")
    listed = Cover(
        company="LARKSPUR INC",
        form="10-K/A",
        accession="1-23-4",
        period_end=dt.date(2012, 6, 30),
        filed=dt.date(2013, 8, 1),
    )
    path = write(tmp_path, f"<html><body><div>{facts}</div>{COVER}{BODY}</body></html>")
    filing = read_filing(path, max_bytes=10**6, listed=listed).filing
    assert filing.company == "Larkspur Inc.", "a fact stands above EDGAR's list"
    assert (filing.accession, filing.filed) == ("1-23-4", dt.date(2013, 8, 1))
    assert filing.period_end == dt.date(2012, 6, 30), "EDGAR's list stands above print"
    assert filing.form == "10-K/A", "an amendment whose facts name the form that it amends"
    flags = CoverFlags(form="10-K405", period_end=dt.date(2011, 6, 30))
    flagged = read_filing(path, max_bytes=10**6, flags=flags, listed=listed).filing
    assert (flagged.form, flagged.period_end) == ("10-K405", dt.date(2011, 6, 30))


def test_text_that_is_lost_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, COVER + BODY)
    whole = read_filing(path, max_bytes=10**6).health
    assert whole.covered == 1.0
    assert not [note for note in whole.notes if "visible text" in note]
    monkeypatch.setattr(reader, "html_blocks", lambda root: html_blocks(root)[:-1])
    health = read_filing(path, max_bytes=10**6).health
    assert health.covered is not None
    assert 0.4 < health.covered < 0.7
    (note,) = [note for note in health.notes if "visible text" in note]
    assert note.startswith(f"Only {health.covered:.1%} of the visible text")


def test_a_year_that_ends_in_the_first_days_of_january_is_the_one_before(tmp_path: Path) -> None:
    body = COVER.replace("June 30, 2013", "January 3, 2021") + BODY
    assert read_filing(write(tmp_path, body), max_bytes=10**6).filing.fiscal_year == 2020
    body = COVER.replace("June 30, 2013", "January 31, 2021") + BODY
    assert read_filing(write(tmp_path, body), max_bytes=10**6).filing.fiscal_year == 2021


def test_no_items_is_said_and_kept(tmp_path: Path) -> None:
    parsed = read_filing(write(tmp_path, COVER + f"<p>{PROSE}</p>"), max_bytes=10**6)
    assert [section.item for section in parsed.sections] == [""]
    assert parsed.health.notes == ("No Items were found; the filing is kept as one section.",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (bytes(range(256)) * 40, "is not HTML, text or PDF"),
        (b"PK\x03\x04 a zip file", "is not HTML, text or PDF"),
        (b"<html><body><p style='display:none'>10-K</p></body></html>", "no visible text"),
        (f"<html><body>{BODY}</body></html>".encode(), "--form"),
        (b"<html><body><p>FORM 10-K</p><p>Larkspur Inc.</p></body></html>", "--period-end"),
        (COVER.replace("10-K", "S-1").encode(), "--form"),
        (b"%PDF-1.7 cut off", "damaged PDF"),
    ],
)
def test_refusals_are_one_sentence_that_says_what_to_do(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(FilingError) as refused:
        read_filing(path, max_bytes=10**6)
    message = str(refused.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.htm"
    with path.open("wb") as file:
        file.truncate(10**12)  # a sparse terabyte: reading it would not end well
    with pytest.raises(FilingError, match="max_file_mb"):
        read_filing(path, max_bytes=10**8)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(FilingError, match="No such file"):
        read_filing(tmp_path / "nowhere.htm", max_bytes=100)
    with pytest.raises(FilingError, match="is a folder"):
        read_filing(tmp_path, max_bytes=10**6)


def test_an_unknown_form_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FilingError, match=r"DEF 14A .* 10-K, 10-K405"):
        read_filing(
            write(tmp_path, COVER + BODY), max_bytes=10**6, flags=CoverFlags(form="def 14a")
        )


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("January 29, 2023", dt.date(2023, 1, 29)),
        ("DECEMBER 31 , 1997", dt.date(1997, 12, 31)),
        ("12/28/02", dt.date(2002, 12, 28)),
        ("2023-09-30", dt.date(2023, 9, 30)),
        ("February 30, 2023", None),
        ("soon", None),
    ],
)
def test_dates(text: str, date: dt.date | None) -> None:
    assert parse_date(text) == date


@pytest.mark.parametrize(
    ("printed", "form"),
    [
        *(("10K", "10-K"), ("Form 10-k/A", "10-K/A"), ("S-1", ""), ("10-K1", "")),
        *(("10-K405", "10-K405"), ("10-K405/A", "10-K405/A"), ("10K405", "10-K405")),
        *(("10-KSB", "10-KSB"), ("10KSB", "10-KSB"), ("10KSB/A", "10-KSB/A")),
        *(("10-KSB40", "10-KSB"), ("10KSB40/A", "10-KSB/A")),
        *(("10-KT", "10-KT"), ("10KT405/A", "10-KT/A"), ("10-Q", "10-Q"), ("20-F/A", "20-F/A")),
    ],
)
def test_forms(printed: str, form: str) -> None:
    assert normal_form(printed) == form


@pytest.mark.shared_data
def test_nvidia_2023(shared_data: Path) -> None:
    path = shared_data / "filings/NVDA_10-K_FY2023_2023-01-29.html"
    parsed = read_filing(path, max_bytes=10**8)
    filing = parsed.filing
    assert (filing.key, filing.fiscal_year) == ("NVDA_10-K_2023-01-29", 2023)
    assert (filing.company, filing.cik) == ("NVIDIA Corp", "0001045810")
    assert parsed.health.items_missing == ()
    text = "\n".join(section.text for section in parsed.sections)
    assert "us-gaap" not in text, "hidden facts must stay out"
    statements = [section for section in parsed.sections if section.item == "8"]
    assert len(statements) == 2, "the statements are printed with Item 15"
    assert "| Revenue | $26,974 | $26,914 | $16,675 |" in statements[1].text
