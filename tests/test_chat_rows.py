"""Rows of a passage's tables: labels, groups, heads, scales and signs, also of real statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_app.chat.rows import TableRow, head_count, table_rows
from rag_app.filings.levels import INDENT
from rag_app.filings.read import read_filing

UNITS = "(In millions, except shares in thousands, and per share amounts)"


def rows(*lines: str, above: str = "") -> list[TableRow]:
    written = ["| " + line.replace("..", INDENT) + " |" for line in lines]
    return list(table_rows(written, above))


def places(found: list[TableRow]) -> list[str]:
    return [" > ".join((*row.groups, row.label)) for row in found]


def test_levels_nest_groups_and_end_them() -> None:
    found = rows(
        " | 2023",
        "Operating activities: | ",
        "..Net income | 10",
        "..Adjustments: | ",
        "....Depreciation | 3",
        "..Dividends | (4)",
        "Cash | 9",
    )
    assert places(found) == [
        "Operating activities > Net income",
        "Operating activities > Adjustments > Depreciation",
        "Operating activities > Dividends",
        "Cash",
    ]


def test_without_levels_a_total_ends_a_group() -> None:
    found = rows(" | 2023", "Assets: | ", "Cash | 9", "Total assets | 9", "Leases | 2")
    assert places(found) == ["Assets > Cash", "Assets > Total assets", "Leases"]


def test_a_row_in_capitals_is_of_no_group_in_capitals() -> None:
    found = rows(" | 2023", "OTHER INCOME: | ", "Interest | 2", "NET INCOME | 9", "Cash | 3")
    assert places(found) == ["OTHER INCOME > Interest", "NET INCOME", "Cash"]


def test_labels_in_a_second_column_stand_under_the_group_in_the_first() -> None:
    (row,) = rows(" |  | 2023", "Europe: |  | ", " | Net sales | 94")
    assert (row.groups, row.label) == (("Europe",), "Net sales")
    assert [(value.head, value.amount) for value in row.values] == [("2023", 94.0)]


def test_parentheses_and_minus_signs_are_negative_and_a_dash_is_no_amount() -> None:
    (row,) = rows("Other | $(1,234.5) | −7 | 8 | (2)% | — | Down 3")
    assert [value.amount for value in row.values] == [-1234.5, -7.0, 8.0, -2.0, None, None]


def test_a_row_has_its_own_scale() -> None:
    found = rows(
        " | 2023",
        "Revenue | 26,974",
        "Margin | 56.9%",
        "Net income per share: | ",
        "..Basic | 1.76",
        "Weighted average shares used in per share computation: | ",
        "..Basic | 2,487",
        "Notional (in billions) | 4",
        above=UNITS,
    )
    assert [row.values[0].scale for row in found] == [1e6, 1.0, 1.0, 1e3, 1e9]


def test_a_row_of_units_is_a_head() -> None:
    assert head_count([["(In millions)", ""], ["", "2023"], ["Sales", "9"]]) == 2


def _statement(path: Path, marks: tuple[str, ...]) -> dict[str, TableRow]:
    """The rows of the first table that holds all the marks, by their groups and label."""
    filing = read_filing(path, max_bytes=10**8)
    block = next(
        block
        for section in filing.sections
        for block in section.blocks
        if block.kind == "table" and all(mark in block.text for mark in marks)
    )
    found = list(table_rows(block.text.split("\n"), block.caption))
    return dict(zip(places(found), found, strict=True))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "marks", "expected"),
    [
        (
            "NVDA_10-K_FY2023_2023-01-29.html",
            ("Income from operations", "2,507"),
            [
                ("Operating expenses > Research and development", "2023", 7339.0, 1e6),
                ("Operating expenses > Total operating expenses", "2022", 7434.0, 1e6),
                ("Other income (expense), net", "2023", -43.0, 1e6),
                ("Net income per share > Diluted", "2023", 1.74, 1.0),
            ],
        ),
        (
            "GE_10-K_FY1993_1993-12-31.txt",
            ("Total costs and expenses", "53,987"),
            [
                ("REVENUES > Sales of goods", "1993", 29509.0, 1e6),
                ("COSTS AND EXPENSES (note 5) > Total costs and expenses", "1992", 50800.0, 1e6),
                ("Provision for income taxes (note 9)", "1991", -1742.0, 1e6),
                (
                    "NET EARNINGS PER SHARE (in dollars) > Cumulative effects of accounting"
                    " changes",
                    "1993",
                    -1.01,
                    1.0,
                ),
            ],
        ),
        (
            "AAPL_10-K_FY2023_2023-09-30.pdf",
            ("Total net sales", "Shares used in computing"),
            [
                ("Cost of sales > Services", "2023", 24855.0, 1e6),
                ("Other income/(expense), net", "2022", -334.0, 1e6),
                ("Earnings per share > Diluted", "2023", 6.13, 1.0),
                ("Shares used in computing earnings per share > Basic", "2021", 16701272.0, 1e3),
            ],
        ),
    ],
)
def test_real_statements(
    shared_data: Path,
    name: str,
    marks: tuple[str, ...],
    expected: list[tuple[str, str, float, float]],
) -> None:
    found = _statement(shared_data / "filings" / name, marks)
    for place, year, amount, scale in expected:
        value = next(value for value in found[place].values if year in value.head)
        assert (value.amount, value.scale) == (amount, scale), place


def test_signs_beside_years_are_heads() -> None:
    (row,) = rows(
        " | Year Ended |  | 2024 vs. 2023 Change | ",
        "(Dollars in millions) | 2024 | 2023 | $ | %",
        "Revenue | $9 | $8 | $1 | 13%",
    )
    assert [value.head for value in row.values][:2] == ["Year Ended 2024", "2023"]
    assert row.values[0].scale == 1e6


def test_a_column_that_begins_in_per_cent_stays_so_until_it_cannot() -> None:
    found = rows(" | 2023", "Europe | 15.8%", "Asia | 39.6", "Staff | 1,200", "Shops | 4.5")
    assert [row.values[0].text for row in found] == ["15.8%", "39.6%", "1,200", "4.5"]
    every = rows(" | 2023", "Growth | 5%", "Margin | 20%", "Shops | 40", "Tax | 21%")
    assert [row.values[0].text for row in every] == ["5%", "20%", "40", "21%"]
