"""PDF to blocks: paragraphs, headings and tables from where the text stands on the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rag_app.errors import FilingError
from rag_app.filings.pdf import pdf_blocks, printed_lines
from rag_app.filings.read import read_filing

Text = tuple[float, float, str, bool]


def make_pdf(pages: Sequence[Sequence[Text]]) -> bytes:
    """A PDF by hand: each text has its x, y in points, and whether it is bold."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>",
    ]
    kids = []
    for page in pages:
        stream = "".join(
            f"BT /{'B' if bold else 'R'} 10 Tf {x} {y} Td ({_escape(text)}) Tj ET\n"
            for x, y, text, bold in page
        ).encode("cp1252")
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R"
            b"/Resources<</Font<</R 3 0 R/B 4 0 R>>>>>>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    )


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def page(number: int, *texts: Text) -> list[Text]:
    return [(40, 760, "Larkspur 10-K", False), *texts, (300, 30, str(number), False)]


FILLER = "Copper was dear in that year and the mines in the north ran on three shifts until"


def filing() -> bytes:
    return make_pdf(
        [
            page(
                1,
                (40, 700, "FORM 10-K", True),
                (40, 680, "For the fiscal year ended December 31, 2023", False),
                (40, 650, "Larkspur Instruments, Inc.", True),
                (40, 630, "(Exact name of registrant as specified in its charter)", False),
                (40, 600, "Title of each class Trading Symbol Name of exchange", False),
                (40, 588, "Common stock LKSP The Nasdaq Stock Market LLC", False),
            ),
            page(
                2,
                (40, 700, "Item 1. Business", True),
                (40, 680, f"{FILLER} the rains came and the", False),
                (40, 668, "workings were flooded.", False),
                (40, 640, "The second paragraph stands apart and is about silver, of which", False),
                (40, 628, "there was none, though the prospectors kept looking for it and", False),
            ),
            page(
                3,
                (40, 700, "though the bank in the city lent them money for it.", False),
                (40, 670, "Item 8. Financial Statements and Supplementary Data", True),
                (40, 650, "Sales were as follows (in thousands):", False),
                (300, 630, "2023", True),
                (400, 630, "2022", True),
                (40, 616, "Copper", False),
                (290, 616, "$ 12,345", False),
                (390, 616, "$ 11,000", False),
                (40, 604, "Silver", False),
                (300, 604, "(678)", False),
                (400, 604, "901", False),
                (40, 570, "That was all.", False),
            ),
            page(4, (40, 700, "SIGNATURES", True), (40, 680, FILLER, False)),
        ]
    )


def test_paragraphs_headings_and_tables() -> None:
    blocks = pdf_blocks(filing(), "x.pdf")
    texts = [block.text for block in blocks]
    assert f"{FILLER} the rains came and the workings were flooded." in texts
    cut = next(text for text in texts if text.startswith("The second"))
    assert cut.endswith("looking for it and though the bank in the city lent them money for it.")
    kinds = {block.text: block.kind for block in blocks}
    assert kinds["Item 1. Business"] == "heading"
    (table,) = [block for block in blocks if block.kind == "table"]
    assert table.text.split("\n") == [
        "|  | 2023 | 2022 |",
        "| Copper | $12,345 | $11,000 |",
        "| Silver | (678) | 901 |",
    ]
    assert (table.header_rows, table.page) == (1, 3)


def test_running_headers_and_page_numbers_go() -> None:
    texts = [block.text for block in pdf_blocks(filing(), "x.pdf")]
    assert not any("Larkspur 10-K" in text or text.isdigit() for text in texts)


def test_the_cover_is_read_from_the_print(tmp_path: Path) -> None:
    path = tmp_path / "no-ending"
    path.write_bytes(filing())
    parsed = read_filing(path, max_bytes=10**6)
    assert parsed.filing.key == "LKSP_10-K_2023-12-31"
    assert parsed.filing.company == "Larkspur Instruments, Inc."
    assert parsed.health.items_found == ("1", "8")


def test_a_scan_is_refused() -> None:
    with pytest.raises(FilingError, match="no text layer"):
        pdf_blocks(make_pdf([[(40, 700, "7", False)], []]), "scan.pdf")


def test_a_damaged_pdf_is_refused() -> None:
    with pytest.raises(FilingError, match="damaged PDF"):
        pdf_blocks(b"%PDF-1.4 nothing follows", "broken.pdf")


ROWS = (
    ("Cash", "1,200", "1,100"),
    ("Inventories", "310", "290"),
    ("Total assets", "1,510", "1,390"),
)


def table(top: float, rows: Sequence[Sequence[str]] = ROWS, years: bool = True) -> list[Text]:
    header = [(500, top + 24, "2023", True), (560, top + 24, "2022", True)] if years else []
    return header + [
        (x, top - 12 * at, text, False)
        for at, row in enumerate(rows)
        for x, text in zip((40, 500, 560), row, strict=True)
    ]


def test_a_label_over_the_full_width_of_labels_does_not_end_a_table() -> None:
    label = (
        "Capital stock, 414 of it issued, all of it still held in trust "
        "until it is called, at its fill"
    )
    rest = [("December 31, 2023 and 2022", "4,100", "4,200"), ("Retained earnings", "77", "70")]
    long = (40, 664, label, False)
    blocks = pdf_blocks(make_pdf([[*table(700), long, *table(652, rest, years=False)]]), "x.pdf")
    (found,) = [block for block in blocks if block.kind == "table"]
    assert found.text.split("\n")[4:] == [
        f"| {label} |  |  |",
        "| December 31, 2023 and 2022 | 4,100 | 4,200 |",
        "| Retained earnings | 77 | 70 |",
    ]


def test_prose_between_two_tables_keeps_them_apart() -> None:
    prose = (40, 664, f"{FILLER} noon. Then it fell", False)
    blocks = pdf_blocks(make_pdf([[*table(700), prose, *table(616)]]), "x.pdf")
    assert [block.kind for block in blocks] == ["table", "paragraph", "table"]


def test_a_centred_label_stands_between_header_and_rows() -> None:
    header, rows = table(700)[:2], table(700, years=False)
    text = [*header, (250, 712, "ASSETS:", False), *rows, (40, 600, FILLER, False)]
    (found,) = [block for block in pdf_blocks(make_pdf([text]), "x.pdf") if block.kind == "table"]
    assert found.text.split("\n")[:2] == ["|  | 2023 | 2022 |", "| ASSETS: |  |  |"]


def test_a_table_goes_on_under_its_header_on_the_next_page() -> None:
    above, below = (40, 400, f"{FILLER}.", False), (40, 400, FILLER, False)
    pages = [[above, *table(100)], [*table(700, ROWS[1:], years=False), below]]
    _, first, second, _ = pdf_blocks(make_pdf(pages), "x.pdf")
    assert (first.page, second.page) == (1, 2)
    assert second.header_rows == 1
    assert second.text.split("\n")[:2] == ["|  | 2023 | 2022 |", "| Inventories | 310 | 290 |"]


def test_an_index_of_statements_is_kept_and_contents_are_not() -> None:
    titles = ("Report of Independent Accountants", "Balance Sheets", "Statements of Income")
    index = [(title, "", str(51 + at)) for at, title in enumerate(titles)]
    pages = [(560, 724, "Page", True), *table(700, index, years=False)]
    assert "Statements of Income | 53" in pdf_blocks(make_pdf([pages]), "x.pdf")[-1].text
    contents = [(title, "", str(3 + at)) for at, title in enumerate(("Our staff", "Risks", "Rent"))]
    last = (40, 500, FILLER, False)
    pages = [(560, 724, "Page", True), *table(700, contents, years=False), last]
    assert [block.text for block in pdf_blocks(make_pdf([pages]), "x.pdf")] == [FILLER]


def test_footnotes_of_statements_and_exhibit_numbers_are_no_furniture() -> None:
    note = "The accompanying notes are an integral part of these statements."
    pages = [
        page(
            at,
            (40, 700, f"Exhibit 31.{at}", False),
            (40, 680, FILLER, False),
            (40, 60, note, False),
        )
        for at in range(1, 5)
    ]
    texts = [block.text for block in pdf_blocks(make_pdf(pages), "x.pdf")]
    assert sum(note in text for text in texts) == 4
    assert all(any(f"Exhibit 31.{at}" in text for text in texts) for at in range(1, 5))
    assert not any("Larkspur 10-K" in text or text.isdigit() for text in texts)


@pytest.mark.shared_data
def test_words_that_were_drawn_letter_by_letter_are_whole(shared_data: Path) -> None:
    path = shared_data / "filings/MSFT_10-K_FY2023_2023-06-30.pdf"
    lines = list(printed_lines(path.read_bytes()))
    assert "ITEM 16. FORM 10-K SUMMARY" in lines
    assert sum(len(line.strip()) == 1 and line.strip().isalpha() for line in lines) < 40


@pytest.mark.shared_data
def test_apple_2023(shared_data: Path) -> None:
    path = shared_data / "filings/AAPL_10-K_FY2023_2023-09-30.pdf"
    parsed = read_filing(path, max_bytes=10**8)
    assert parsed.filing.key == "AAPL_10-K_2023-09-30"
    assert parsed.health.items_missing == ()
    statements = next(section for section in parsed.sections if section.item == "8")
    income = next(
        block
        for block in statements.blocks
        if block.kind == "table" and "| Net income | $96,995 | $99,803 | $94,680 |" in block.text
    )
    head = "\n".join(income.text.split("\n")[: income.header_rows])
    assert "September 30, " in head and "2023 | 2022 | 2021" in head
    assert income.page in range(30, 36)
