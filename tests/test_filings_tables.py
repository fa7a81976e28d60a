"""Cells to Markdown rows: joined pieces, spacers, spans, header rows, layout and contents."""

from __future__ import annotations

import pytest

from rag_app.filings.chunks import token_counter
from rag_app.filings.html import html_blocks, parse_html
from rag_app.filings.levels import INDENT, level_of
from rag_app.filings.tables import Cell, is_contents, is_layout, is_value, joined, markdown, parted
from rag_app.filings.text import page_items
from rag_app.index.lexical import _tokens
from rag_app.records import Block


def cells(*texts: str) -> list[Cell]:
    return [Cell(text, at, at + 1) for at, text in enumerate(texts)]


def table(html: str) -> Block:
    blocks = html_blocks(parse_html(f"<body><table>{html}</table></body>"))
    (only,) = [block for block in blocks if block.kind == "table"]
    return only


@pytest.mark.parametrize("text", ["1,234", "$ 26,974", "(48)", "—", "56.9%", "(25)%", "$(1.02)"])
def test_figures_are_values(text: str) -> None:
    assert is_value(text)


@pytest.mark.parametrize("text", ["2023", "Revenue", "January 29, 2023", "", "(In millions)"])
def test_labels_and_years_are_not(text: str) -> None:
    assert not is_value(text)


def test_currency_cells_join_their_figure() -> None:
    row = cells("Loss", "$", "(1,234", ")", "", "12", "%", "$", "—")
    assert [cell.text for cell in joined(row)] == ["Loss", "$(1,234)", "12%", "$—"]
    assert joined(row)[1].start == 1
    assert joined(row)[1].end == 4


def test_a_currency_sign_that_heads_a_column_stays_alone() -> None:
    assert [cell.text for cell in joined(cells("(Dollars)", "$", "%"))] == ["(Dollars)", "$", "%"]


def test_figures_printed_close_together_are_parted() -> None:
    assert [cell.text for cell in parted(Cell("$ 46,254 $ (7,365) $", 0, 20))] == [
        "$ 46,254",
        "$ (7,365)",
        "$",
    ]
    assert [cell.start for cell in parted(Cell("2023 2022", 90, 99))] == [90, 95]
    assert len(parted(Cell("September 30, 2023", 0, 18))) == 1


def test_a_wide_head_over_figures_at_its_side_is_their_column() -> None:
    rows = [
        [Cell("September 30,", 50, 80), Cell("September 24,", 90, 120)],
        [Cell("2023", 60, 70), Cell("2022", 100, 110)],
        [Cell("Loss", 0, 10), Cell("(765)", 72, 82), Cell("(1,511)", 112, 124)],
    ]
    text, header_rows = markdown(rows)
    assert text.split("\n")[2] == "| Loss | (765) | (1,511) |"
    assert header_rows == 2


def test_a_negative_figure_is_not_taken_for_a_footnote_mark() -> None:
    assert [cell.text for cell in joined(cells("Other, net", "(48)", "107"))] == [
        "Other, net",
        "(48)",
        "107",
    ]


def test_spacer_columns_go_and_spanning_heads_stand_once() -> None:
    block = table(
        '<tr><td colspan="3"></td><td></td><td colspan="7">Year Ended</td></tr>'
        '<tr><td colspan="3"></td><td></td><td colspan="3">Jan 29, 2023</td><td></td>'
        '<td colspan="3">Jan 30, 2022</td></tr>'
        '<tr><td colspan="3">Revenue</td><td></td><td>$</td><td>26,974</td><td></td><td></td>'
        "<td>$</td><td>26,914</td><td></td></tr>"
        '<tr><td colspan="3">Other</td><td></td><td colspan="2">(7</td><td>)</td><td></td>'
        '<td colspan="2">—</td><td></td></tr>'
    )
    assert block.text.split("\n") == [
        "|  | Year Ended |  |",
        "|  | Jan 29, 2023 | Jan 30, 2022 |",
        "| Revenue | $26,974 | $26,914 |",
        "| Other | (7) | — |",
    ]
    assert block.header_rows == 2


def test_a_row_span_keeps_the_cells_below_in_their_columns() -> None:
    block = table(
        '<tr><td rowspan="2">Region</td><td colspan="2">Sales</td></tr>'
        "<tr><td>2023</td><td>2022</td></tr>"
        "<tr><td>North</td><td>10,000</td><td>9,000</td></tr>"
    )
    assert block.text.split("\n")[1:] == ["|  | 2023 | 2022 |", "| North | 10,000 | 9,000 |"]
    assert block.header_rows == 2


def test_label_rows_below_the_header_are_body() -> None:
    rows = [
        cells("", "2023", "2022"),
        cells("Assets:", "", ""),
        cells("Cash", "3,389", "1,990"),
    ]
    assert markdown(rows)[1] == 1


def test_years_as_labels_are_data() -> None:
    text, header_rows = markdown([cells("", "Amount"), cells("2024", "$220"), cells("2025", "198")])
    assert header_rows == 1
    assert text.endswith("| 2025 | 198 |")


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        ('<td style="padding-left:10pt">Rent</td>', 1),
        ('<td style="padding:2px 1pt 2px 10pt">Rent</td>', 1),
        ('<td><div style="margin-left:0.25in"><font>Rent</font></div></td>', 1),
        ('<td><p style="text-indent:1em">Rent</p></td>', 1),
        ('<td style="padding-left:9pt;text-indent:-9pt">Rent</td>', 0),
        ('<td style="padding:2px 10pt 2px 1pt">Rent</td>', 0),
        ("<td>&nbsp;&nbsp;Rent</td>", 1),
        ("<td><b>&#160; Rent</b></td>", 1),
        ('<td style="padding-left:1pt">Rent</td>', 0),
    ],
)
def test_html_labels_keep_their_level(cell: str, level: int) -> None:
    block = table(
        "<tr><td></td><td>2023</td></tr><tr><td>Sales</td><td>9,000</td></tr>"
        f"<tr>{cell}<td>1,000</td></tr>"
    )
    assert block.text.split("\n")[2] == f"| {INDENT * level}Rent | 1,000 |"


def test_an_empty_column_before_a_label_is_a_level() -> None:
    block = table(
        '<tr><td colspan="2">Sales</td><td>9,000</td></tr>'
        "<tr><td></td><td>Pumps</td><td>8,000</td></tr>"
    )
    assert block.text.split("\n")[1] == f"| {INDENT}Pumps | 8,000 |"


def test_text_labels_keep_their_level_and_a_centred_one_has_none() -> None:
    lines = [
        "<TABLE>",
        "                    1993      1992",
        "             ASSETS               ",
        "Receivables:                      ",
        "  Trade               30        20",
        "    Total             30        20",
        "Notes due after                   ",
        "  one year             5         4",
        "</TABLE>",
    ]
    (block,) = page_items(lines, 1)
    assert isinstance(block, Block)
    assert [row.split(" |")[0] for row in block.text.split("\n")[1:]] == [
        "| ASSETS",
        "| Receivables:",
        f"| {INDENT}Trade",
        f"| {INDENT * 2}Total",
        "| Notes due after one year",
    ]


def test_levels_are_read_back_and_are_blank_to_search() -> None:
    row = f"| {INDENT * 2}Cash and equivalents | 3,389 |"
    assert [level_of(row), level_of("| Cash | 3 |"), level_of("|  | Cash |")] == [2, 0, 0]
    assert _tokens([row]) == _tokens([row.replace(INDENT, "")])
    count = token_counter()
    assert count([row]) == count([row.replace(INDENT, "")])


def test_a_pipe_in_a_cell_is_escaped() -> None:
    assert markdown([cells("a|b", "1,000"), cells("c", "2,000")])[0].startswith("| a\\|b | 1,000 |")


def test_bullets_and_split_item_headings_are_layout() -> None:
    assert is_layout([cells("•", "We sell chips."), cells("•", "We sell boards.")])
    assert is_layout([cells("Item 1A.", "Risk Factors")])
    assert not is_layout([cells("Name", "Age"), cells("Jane Doe", "51")])
    assert not is_layout([cells("Revenue", "26,974")])


def test_contents_need_items_or_links_and_rising_pages() -> None:
    items = [cells(f"Item {n}.", "Title", str(n * 3)) for n in range(1, 7)]
    assert is_contents(items)
    notes = [cells("Note A", "4"), cells("Note B", "9"), cells("Note C", "12")]
    assert is_contents(notes, links=3)
    assert not is_contents(notes), "three rising figures alone are data"
    assert not is_contents([cells("A", "9"), cells("B", "4"), cells("C", "7")], links=3)


def test_a_long_run_of_digits_and_brackets_takes_no_time() -> None:
    """Found by fuzzing: figure after figure in one pattern, tried in every way, took minutes."""
    text = "1" * 2000 + ") 2 x"
    assert parted(Cell(text, 0, len(text))) == [Cell(text, 0, len(text))]
