"""Blocks to Items: contents lines, cross-references, two parts, statements printed elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag_app.errors import FilingError
from rag_app.filings.captions import with_captions
from rag_app.filings.doubts import doubtful_items
from rag_app.filings.forms import FORM_ITEMS, form_items
from rag_app.filings.sections import split_sections
from rag_app.records import Block, Section

PROSE = "We sell sensors to refineries and to power plants in nine countries. " * 12


def head(text: str, level: int = 2) -> Block:
    return Block("heading", text, level)


def para(text: str = PROSE) -> Block:
    return Block("paragraph", text)


def split(blocks: Sequence[Block], form: str = "10-K") -> tuple[list[Section], tuple[str, ...]]:
    return split_sections(blocks, form_items(form))


def test_headings_win_over_contents_lines_and_running_headers() -> None:
    titles = [("1", "Business"), ("1A", "Risk Factors"), ("7", "Discussion"), ("8", "Statements")]
    contents = [para(f"Item {item}. {title}") for item, title in titles]
    body = [
        block
        for item, title in titles
        for block in (head(f"ITEM {item}. {title.upper()}"), para(), para(f"Item {item}"), para())
    ]
    sections, found = split([head("FORM 10-K", 1), *contents, *body])
    assert found == ("1", "1A", "7", "8")
    assert [section.item for section in sections] == ["", "1", "1A", "7", "8"]
    assert sections[0].text == "FORM 10-K", "contents lines are boilerplate"
    assert sections[2].title == "RISK FACTORS"
    assert all(len(section.text) > 2 * len(PROSE) for section in sections[1:])


def test_every_block_lands_in_one_section() -> None:
    blocks = [para("Cover"), head("Item 1. Business"), para(), head("Item 2. Properties"), para()]
    sections, _ = split(blocks)
    assert [block for section in sections for block in section.blocks] == blocks


def test_sentences_about_items_are_no_headings() -> None:
    blocks = [
        head("Item 1. Business"),
        para(),
        para("Item 1A of this report describes our risks."),
        para("Item 7, Management's Discussion, says more."),
        para(),
        head("Item 7. Management’s Discussion and Analysis"),
        para(),
    ]
    sections, found = split(blocks)
    assert found == ("1", "7")
    assert sections[1].item == "7"


def test_one_heading_for_two_items() -> None:
    sections, found = split([head("Items 1 and 2. Business and Properties"), para()])
    assert found == ("1", "2")
    assert [(section.item, section.title) for section in sections] == [
        ("1", "Business and Properties")
    ]


def test_a_heading_that_runs_on_gets_the_forms_title() -> None:
    text = "Item 3. Legal Proceedings. We are party to suits. " + PROSE
    sections, _ = split([head("Item 1. Business"), para(), para(text)])
    assert (sections[1].item, sections[1].title) == ("3", "Legal Proceedings")
    assert sections[1].text == text


def test_the_second_part_of_a_quarterly_report_counts_anew() -> None:
    blocks = [
        head("PART I"),
        head("Item 1. Financial Statements"),
        para(),
        head("Item 2. Management’s Discussion"),
        para(),
        head("PART II"),
        head("Item 1. Legal Proceedings"),
        para(),
        head("Item 1A. Risk Factors"),
        para(),
    ]
    _, found = split(blocks, "10-Q")
    assert found == ("1", "2", "II-1", "II-1A")


def test_current_reports_of_both_eras() -> None:
    _, found = split([head("Item 5.07 Submission of Matters to a Vote"), para()], "8-K")
    assert found == ("5.07",)
    _, found = split([para("Item 7. FINANCIAL STATEMENTS AND EXHIBITS."), para()], "8-K")
    assert found == ("7",)


def test_no_items_is_one_section() -> None:
    sections, found = split([para("Only prose."), para()])
    assert found == ()
    assert [section.item for section in sections] == [""]


def test_statements_behind_the_exhibits_come_home() -> None:
    statements = [head("Report of Independent Registered Public Accounting Firm"), *[para()] * 15]
    blocks = [
        head("Item 8. Financial Statements and Supplementary Data"),
        para("See Item 15."),
        head("Item 15. Exhibits"),
        para("(a) The following documents:"),
        *statements,
        head("EXHIBIT INDEX"),
        para("3.1 Charter"),
        head("SIGNATURES"),
        para("Jane Doe"),
    ]
    sections, found = split(blocks)
    assert [section.item for section in sections] == ["8", "15", "8", "15", ""]
    assert list(sections[2].blocks) == statements
    assert sections[2].title.endswith("(printed with Item 15)")
    assert sections[-1].title == "Signatures and exhibits"
    assert found == ("8", "15")


def test_captions_are_the_lines_that_introduce_a_table() -> None:
    table = Block("table", "| a | 1,000 |")
    intro, units = para("Sales were as follows:"), para("(In millions)")
    captioned = with_captions([para("Prose."), intro, units, table, table])
    assert captioned[3].caption == "Sales were as follows: (In millions)"
    assert captioned[4].caption == ""
    assert captioned[:3] == [para("Prose."), intro, units]


def test_forms_are_table_rows_and_amendments_use_theirs() -> None:
    assert form_items("10-K/A") is FORM_ITEMS["10-K"]
    with pytest.raises(FilingError, match=r"S-1 .* 10-K, 10-K405"):
        form_items("S-1")


@pytest.mark.parametrize("form", FORM_ITEMS)
def test_item_keys_are_unique_in_a_form(form: str) -> None:
    keys = [item.key for item in FORM_ITEMS[form]]
    assert len(keys) == len(set(keys))


def test_items_are_expected_from_the_year_they_were_introduced() -> None:
    by_key = {item.key: item for item in form_items("10-K")}
    assert not by_key["1A"].expected(dt.date(2002, 12, 28))
    assert by_key["1A"].expected(dt.date(2023, 1, 29))
    assert by_key["6"].expected(dt.date(2013, 6, 30))
    assert not by_key["6"].expected(dt.date(2024, 1, 28))


def test_a_part_heading_opens_the_item_below_it() -> None:
    blocks = [head("Item 4. Mine Safety Disclosures"), para("None."), head("PART II")]
    sections, _ = split([*blocks, head("Item 5. Market for Registrant's Common Equity"), para()])
    assert [section.text.split("\n\n")[0] for section in sections] == [blocks[0].text, "PART II"]
    assert sections[0].text.endswith("None.")


@pytest.mark.parametrize(
    "line",
    [
        "ITEM X. INFORMATION ABOUT OUR EXECUTIVE OFFICERS",
        "Item 4A. Executive Officers of the Registrant",
        "INFORMATION ABOUT OUR EXECUTIVE OFFICERS",
    ],
)
def test_officers_are_no_mine_safety_disclosures(line: str) -> None:
    blocks = [head("Item 4. Mine Safety Disclosures"), para("None."), head(line), para()]
    sections, found = split(blocks)
    assert found == ("4",)
    assert [section.item for section in sections] == ["4", ""]
    assert "executive officers" in sections[1].title.lower()


def test_a_running_item_number_above_the_heading_is_dropped() -> None:
    heading = head("ITEM 7A. QUANTITATIVE AND QUALITATIVE DISCLOSURES ABOUT MARKET RISK")
    sections, _ = split([head("Item 1. Business"), para(), para("Item 7A"), heading, para()])
    assert sections[1].title.startswith("QUANTITATIVE")
    assert sections[1].blocks[0] == heading


def test_a_title_printed_over_two_lines_is_one_title() -> None:
    blocks = [head("Item 7. Management's Discussion and"), head("Analysis of Financial Condition")]
    sections, _ = split([*blocks, para()])
    assert sections[0].title == "Management's Discussion and Analysis of Financial Condition"


def test_a_heading_in_the_same_line_is_no_part_of_the_title() -> None:
    sections, _ = split([head("ITEM 1. BUSINESS Overview"), para()])
    assert sections[0].title == "BUSINESS"


def test_a_list_of_quoted_items_is_no_heading() -> None:
    listed = para("Item 1: “Business,” Item 1A: “Risk Factors” and other parts say more.")
    sections, found = split([listed, para(), head("Item 2. Properties"), para()])
    assert found == ("2",)
    assert sections[0].item == ""


def test_exhibits_behind_the_last_item_are_outside_it() -> None:
    blocks = [head("Item 16. Form 10-K Summary"), para("None."), head("Exhibit Index"), para("3.1")]
    sections, _ = split([*blocks, head("SIGNATURES"), para("Jane Doe")])
    assert [section.item for section in sections] == ["16", "", ""]
    assert sections[0].text.endswith("None.")


def test_units_at_the_end_of_a_long_title_are_no_part_of_it() -> None:
    title = "Management's Discussion and Analysis of Financial Conditions and Results of Operations"
    units = (
        "(amounts in millions, except per share, share, membership fee and warehouse count data)"
    )
    sections, _ = split([head(f"Item 7—{title} {units}"), para()])
    assert sections[0].title == title


def test_bound_in_exhibits_are_sections_of_their_own() -> None:
    def page(number: int, *blocks: Block) -> list[Block]:
        return [replace(block, page=number) for block in blocks]

    listed = para("Exhibit 21.1")
    sections, _ = split(
        [
            *page(1, head("Item 15. Exhibits"), para(), listed, para()),
            *page(2, head("SIGNATURES"), para("Jane Doe")),
            *page(3, para("Exhibit 21.1"), para(), para("Exhibit 23"), para()),
            *page(4, head("EXHIBIT 31.1 CERTIFICATION"), para()),
            *page(5, para("Exhibit 31.1"), para("It goes on."), para("Exhibit 99 says so.")),
        ]
    )
    assert [(section.item, section.title) for section in sections] == [
        ("15", "Exhibits"),
        ("", "Signatures and exhibits"),
        ("", "Exhibit 21.1"),
        ("", "Exhibit 23"),
        ("", "Exhibit 31.1"),
    ]
    assert sections[0].blocks[2].text == listed.text, "the last Item lists exhibits"
    assert len(sections[-1].blocks) == 5


def test_the_last_items_list_of_exhibits_is_no_exhibit() -> None:
    listed = [replace(block, page=1) for block in (head("Item 15. Exhibits"), para("Exhibit 21"))]
    bound = [replace(block, page=2) for block in (para("Exhibit 31.1"), para())]
    sections, _ = split([*listed, *bound])
    assert [section.title for section in sections] == ["Exhibits", "Exhibit 31.1"]


def doubts(*blocks: Block) -> list[str]:
    sections, _ = split(blocks)
    return list(doubtful_items(sections, form_items("10-K")))


def test_an_item_of_a_heading_alone_is_doubted() -> None:
    whole = [head("Item 1. Business"), para(), head("Item 3. Legal Proceedings")]
    (doubt,) = doubts(*whole, head("Item 5. Market for Common Equity"), para())
    assert "Item 3 opens with a heading" in doubt
    assert doubts(head("Item 1. Business"), para(), head("Item 6. [Reserved]")) == []


def test_a_short_item_without_a_reason_is_doubted() -> None:
    start = [head("Item 1. Business"), para(), head("Item 2. Properties")]
    (doubt,) = doubts(*start, para("Oak Street."))
    assert "Item 2 has only 31 characters and no reason" in doubt
    assert doubts(*start, para("None.")) == []
    assert doubts(*start, para("Incorporated by reference to the annual report.")) == []


def test_another_items_heading_inside_an_item_is_doubted() -> None:
    prose = [para()] * 2
    out_of_order = [
        head("Item 8. Financial Statements"),
        para(),
        head("Item 2. Properties"),
        *prose,
    ]
    (doubt,) = doubts(head("Item 2. Properties"), *prose, para(), *out_of_order)
    assert doubt == "A heading of Item 2 stands inside Item 8; one may be cut wrongly."
