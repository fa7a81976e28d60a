"""Plain text of the 1990s: SGML wrapping, wrapped paragraphs, ASCII tables, page marks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from rag_app.filings.furniture import without_furniture
from rag_app.filings.read import read_filing
from rag_app.filings.sgml import is_submission, read_submission
from rag_app.filings.text import text_blocks
from rag_app.records import Block

SUBMISSION = """-----BEGIN PRIVACY-ENHANCED MESSAGE-----
<SEC-DOCUMENT>0000000001-98-000001.txt : 19980310
<SEC-HEADER>0000000001-98-000001.hdr.sgml : 19980310
ACCESSION NUMBER:\t\t0000000001-98-000001
CONFORMED SUBMISSION TYPE:\t10-K405
CONFORMED PERIOD OF REPORT:\t19971231
FILED AS OF DATE:\t\t19980309

FILER:
\tCOMPANY DATA:
\t\tCOMPANY CONFORMED NAME:\t\t\tLARKSPUR MINING CO /DE/
\t\tCENTRAL INDEX KEY:\t\t\t0000012345
</SEC-HEADER>
<DOCUMENT>
<TYPE>10-K405
<TEXT>
                                  FORM 10-K

                                   PART I

ITEM 1.  BUSINESS

   LARKSPUR mines copper and has done so since 1912, mostly in the non-
ferrous belt of the northern counties.
                                       1
<PAGE>

ITEM 2. PROPERTIES:
The Company owns four mines and the railway between
them.

ITEM 8. FINANCIAL STATEMENTS

Sales in the last two years were (in thousands):

                          1997        1996
                        --------    --------
Copper ............     $ 12,345    $ 11,000
Silver, at prices
  of the day .......        (678)        901
                        --------    --------

                                       2
<PAGE>
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-13.1
<TEXT>
                              FINANCIAL REVIEW

The year was a good one for copper and a poor one for silver.
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-27
<TEXT>
<CASH> 99,999
</TEXT>
</DOCUMENT>
"""


def test_header_and_documents() -> None:
    assert is_submission(SUBMISSION)
    submission = read_submission(SUBMISSION)
    assert submission.fields["CENTRAL INDEX KEY"] == "0000012345"
    assert [document.type for document in submission.documents] == ["10-K405", "EX-13.1", "EX-27"]


def test_a_submission_is_known_behind_a_long_header_and_not_by_a_quotation() -> None:
    filers = "FILER:\n\tCOMPANY DATA:\n" * 2000
    assert is_submission(SUBMISSION.replace("</SEC-HEADER>", f"{filers}</SEC-HEADER>"))
    assert not is_submission(f"<html><p>A submission reads:</p><pre>{SUBMISSION}</pre></html>")
    assert not is_submission("ANNUAL REPORT\n<PAGE>\n<DOCUMENT>\n<TYPE>10-K\n")


def test_inline_xbrl_in_a_submission_is_unwrapped() -> None:
    page = '<?xml version="1.0"?>\n<html><body><p>Tin.</p></body></html>'
    wrapped = f"<DOCUMENT>\n<TYPE>10-K\n<TEXT>\n<XBRL>\n{page}\n</XBRL>\n</TEXT>\n</DOCUMENT>"
    (document,) = read_submission(f"<SEC-HEADER></SEC-HEADER>\n{wrapped}").documents
    assert document.type == "10-K"
    assert document.body.strip() == page


def test_a_submission_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "filing.txt"
    path.write_text(SUBMISSION)
    parsed = read_filing(path, max_bytes=10**6)
    filing = parsed.filing
    assert (filing.company, filing.form, filing.cik) == (
        "LARKSPUR Mining Co",
        "10-K405",
        "0000012345",
    )
    assert filing.period_end == dt.date(1997, 12, 31)
    assert filing.filed == dt.date(1998, 3, 9)
    assert filing.fiscal_year == 1997
    by_item = {section.item: section for section in parsed.sections if section.item}
    assert list(by_item) == ["1", "2", "8"]
    assert "since 1912, mostly in the non-ferrous belt of" in by_item["1"].text
    assert (
        by_item["2"].blocks[1].text == "The Company owns four mines and the railway between them."
    )
    last = parsed.sections[-1]
    assert last.title == "Exhibit 13.1"
    assert "a good one for copper" in last.text
    assert "99,999" not in "".join(section.text for section in parsed.sections)


def test_ascii_columns_become_a_table() -> None:
    body = read_submission(SUBMISSION).documents[0].body
    (table,) = [block for block in text_blocks(body) if block.kind == "table"]
    assert table.text.split("\n") == [
        "|  | 1997 | 1996 |",
        "| Copper | $12,345 | $11,000 |",
        "| Silver, at prices of the day | (678) | 901 |",
    ]
    assert table.header_rows == 1
    assert table.page == 2


def test_page_numbers_go_and_pages_are_counted() -> None:
    blocks = text_blocks(read_submission(SUBMISSION).documents[0].body)
    assert not any(block.text.isdigit() for block in blocks)
    assert {block.page for block in blocks} == {1, 2}


def test_tagged_tables_are_tables() -> None:
    (table,) = text_blocks(
        "<TABLE>\n<CAPTION>\n            1997     1996\n<S>        <C>      <C>\n"
        "Profit      1,200    1,100\n\nLoss          300      400\n</TABLE>\n"
    )
    assert table.text.split("\n")[1:] == ["| Profit | 1,200 | 1,100 |", "| Loss | 300 | 400 |"]


@pytest.mark.shared_data
def test_coca_cola_1997(shared_data: Path) -> None:
    path = shared_data / "filings/KO_10-K_FY1997_1997-12-31.txt"
    parsed = read_filing(path, max_bytes=10**7)
    assert parsed.health.items_missing == ()
    assert parsed.filing.company == "Coca Cola Co"
    report = parsed.sections[-1]
    assert report.title == "Exhibit 13.1"
    revenues = next(
        block
        for block in report.blocks
        if block.kind == "table" and "| NET OPERATING REVENUES | $18,868 | $18,673" in block.text
    )
    head = revenues.text.split("\n")[: revenues.header_rows]
    assert "| Year Ended December 31, | 1997 | 1996 | 1995 |" in head


def test_page_numbers_alone_mark_the_pages() -> None:
    prose = [
        "We sell wool.",
        "Cash was ample.",
        "Nobody sued.",
        "Rents rose.",
        "Sales fell.",
        "End.",
    ]
    pages = [Block("paragraph", t) for n, text in enumerate(prose, 20) for t in (text, str(n))]
    assert [block.text for block in without_furniture(pages)] == prose
    assert len(without_furniture(pages[:4])) == 4, "two numbers in a row may be anything"
