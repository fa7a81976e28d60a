"""Passages for the eye: real Markdown tables, the heading path kept out of the quote."""

from __future__ import annotations

from passages import hit, text_node

from rag_app.filings.levels import INDENT
from rag_app.ui.passages import passage_markdown, place_of


def test_a_table_gets_the_rule_that_markdown_wants_and_amounts_stand_right() -> None:
    node = text_node(hit("| | 2023 |\n| Revenue | $41 |"))
    assert passage_markdown(node) == "|  | 2023 |\n|:---|---:|\n| Revenue | \\$41 |"


def test_a_continued_table_is_one_table_with_its_heads() -> None:
    prefix = "(In thousands)\n|  | Year Ended |\n|  | 2023 |\n| Costs: |  |"
    node = text_node(hit("| Copper | 7 |", prefix=prefix, heading="Results"))
    assert passage_markdown(node) == (
        "\\(In thousands\\)\n\n"
        "|  | Year Ended |\n|:---|---:|\n|  | **2023** |\n| **Costs:** |  |\n| Copper | 7 |"
    )


def test_labels_stand_in_by_their_level() -> None:
    node = text_node(hit(f"|  | 2023 |\n| Costs: |  |\n| {INDENT}Copper | 7 |"))
    assert passage_markdown(node).splitlines()[2:] == [
        "| **Costs:** |  |",
        f"| {INDENT}Copper | 7 |",
    ]


def test_the_path_is_a_caption_and_its_last_heading_is_not_repeated() -> None:
    text = "Our customers\n\nBacklog\n\nOrders rose to $5 from $4."
    node = text_node(hit(text, heading="Customers > Backlog"))
    assert place_of(node) == "Item 7. MD&A > Customers > Backlog"
    assert passage_markdown(node) == "Orders rose to \\$5 from \\$4."


def test_a_passage_that_is_only_its_heading_still_shows() -> None:
    assert passage_markdown(text_node(hit("Backlog", heading="Backlog"))) == "Backlog"


def test_cells_cannot_break_out_of_their_table() -> None:
    node = text_node(hit("| a \\| b | ![x](https://e.x) |\n| c | 5 | 6 |"))
    lines = passage_markdown(node).splitlines()
    assert lines[0] == "| a \\| b | \\!\\[x\\]\\(https\u200b://e.x\\) |  |"
    assert lines[1] == "|:---|---:|---:|"
