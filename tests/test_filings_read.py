"""A file to a ParsedFiling: type by content, flags over the document, one sentence per refusal."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from rag_app.errors import FilingError
from rag_app.filings.cover import normal_form, parse_date
from rag_app.filings.read import read_filing

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
        ticker="lark",
        form="10-q",
        fiscal_year=2020,
        period_end=dt.date(2020, 3, 31),
    ).filing
    assert filing.key == "LARK_10-Q_2020-03-31"
    assert filing.fiscal_year == 2020


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
        read_filing(write(tmp_path, COVER + BODY), max_bytes=10**6, form="def 14a")


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
    [("10K", "10-K"), ("Form 10-k/A", "10-K/A"), ("10-K405", "10-K405"), ("S-1", "")],
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
