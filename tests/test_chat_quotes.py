"""Quote mode: whole sentences, and table rows with all that makes them readable."""

from __future__ import annotations

from passages import hit, text_node

from rag_app.chat.prompts import REFUSAL
from rag_app.chat.quotable import quotable
from rag_app.chat.quotes import (
    MAX_QUOTES,
    NOTE,
    QUOTES_OF_HIT,
    best_quotes,
    quote_answer,
)
from rag_app.index.embedder import Embedder

HEADS = "(In thousands)\n|  | Year Ended |  |\n|  | 2023 | 2022 |"
ROWS = "| Gross profit | 179,504 | 168,162 |\n| Expenses: |  |  |\n| Research | 43,377 | 40,205 |"


def test_a_row_is_quoted_with_heading_units_group_and_column_heads() -> None:
    node = text_node(hit(f"Results\n\n{HEADS}\n{ROWS}"))
    assert quotable(node) == [
        "Results (In thousands), Gross profit: Year Ended 2023 179,504; 2022 168,162",
        "Results (In thousands), Expenses, Research: Year Ended 2023 43,377; 2022 40,205",
    ]


def test_a_continued_table_takes_its_heads_from_the_prefix_and_quotes_only_its_own_rows() -> None:
    prefix = f"{HEADS}\n| Expenses: |  |  |\n| Sales | 9,000 | 8,000 |"
    node = text_node(hit("| Research | 43,377 | 40,205 |", prefix=prefix, heading="Results"))
    assert quotable(node) == [
        "(In thousands), Expenses, Research: Year Ended 2023 43,377; 2022 40,205"
    ]


def test_heads_of_words_and_periods_are_not_rows() -> None:
    table = "|  | 53 weeks ended Feb 3, 2024 |\n| Net sales | $5,208 |"
    assert quotable(text_node(hit(table))) == ["Net sales: 53 weeks ended Feb 3, 2024 $5,208"]


def test_sentences_stand_alone_and_in_pairs_but_headings_are_not_quoted() -> None:
    text = "Legal matters we face\n\nA customer has sued us. We have accrued nothing so far."
    assert quotable(text_node(hit(text))) == [
        "A customer has sued us.",
        "We have accrued nothing so far.",
        "A customer has sued us. We have accrued nothing so far.",
    ]


def test_the_fitting_quote_first_and_none_that_does_not_fit(minilm: Embedder) -> None:
    hits = [
        hit("Our pumps are sold in nine states. Copper is short this year."),
        hit("The board met four times. Order backlog was $94.6 million at year end."),
    ]
    lines = quote_answer("How large was the order backlog?", hits, minilm).splitlines()
    assert lines[0].startswith("- ")
    assert "Order backlog was $94.6 million at year end." in lines[0]
    assert lines[0].endswith("[2]")
    assert lines[-1] == NOTE
    assert sum("[2]" in line for line in lines) == 1


def test_the_companys_name_makes_no_quote_fit(minilm: Embedder) -> None:
    found = hit(
        "In this report Quill, we and us mean Quill, Inc. and subsidiaries.\n\n"
        "A revolver of 65 was drawn at year end.",
    )
    assert "revolver" in quote_answer("How much has Quill drawn on its revolver?", [found], minilm)


def test_what_two_filings_say_alike_is_one_line(minilm: Embedder) -> None:
    same = "The table shows net sales by product."
    answer = quote_answer("net sales by product", [hit(same), hit(same)], minilm)
    assert answer == f"- {same} [1][2]\n\n{NOTE}"


def test_at_most_four_quotes(minilm: Embedder) -> None:
    hits = [hit(f"Copper risk number {n} is high here.") for n in range(5)]
    assert quote_answer("copper risk", hits, minilm).count("\n- ") + 1 == MAX_QUOTES


def test_two_places_of_one_passage_are_quoted_but_never_the_same_words_twice(
    minilm: Embedder,
) -> None:
    found = hit(
        "Copper prices are a risk for our pumps. Our office moved to Ohio and to Iowa.\n\n"
        "A shortage of copper is a risk too.\n\nTin and copper prices are risks we cannot hedge."
    )
    quotes = [quote.text for quote in best_quotes("What are copper risks?", [found], minilm)]
    assert len(quotes) == QUOTES_OF_HIT
    assert all("opper" in text for text in quotes)
    assert quotes[0] not in quotes[1]
    assert quotes[1] not in quotes[0]


def test_nothing_found_is_said(minilm: Embedder) -> None:
    assert quote_answer("anything", [], minilm) == REFUSAL
    assert quote_answer("anything", [hit("Item 5")], minilm) == REFUSAL


def test_a_row_is_quoted_under_all_its_groups_and_not_under_one_that_ended() -> None:
    table = (
        "| (In millions) | 2023 |\n| Operating: |  |\n| \u00a0\u00a0Changes: |  |\n"
        "| \u00a0\u00a0\u00a0\u00a0Inventories | (1,618) |\n| Cash | 30 |"
    )
    assert quotable(text_node(hit(table))) == [
        "(In millions), Operating, Changes, Inventories: 2023 (1,618)",
        "(In millions), Cash: 2023 30",
    ]


def test_a_question_about_a_change_gets_the_expression_of_its_row(minilm: Embedder) -> None:
    found = hit(
        "(In millions)\n|  | 2023 | 2022 |\n| Revenue | 26,974 | 26,914 |\n| Cost | 9 | 7 |"
    )
    answer = quote_answer("How much did Quill's revenue grow in 2023?", [found], minilm)
    assert answer.startswith(
        "- Revenue changed by {{(26,974 - 26,914) / 26,914 %}} from 2022 to 2023 [1].\n"
    )
    assert "{{" not in quote_answer("What was Quill's revenue in 2023?", [found], minilm)


TOTALS = "|  | 2022 | 2023 |\n| Consolidated |  |  |\n| \u00a0\u00a0Net income | $2,722 | $30,425 |"


def test_a_row_wears_no_title_that_a_lead_in_or_a_sentence_parts_from_its_table() -> None:
    lead = "Information on all our segments, in full and in the order of their size, is as follows:"
    row = "Consolidated, Net income: 2022 $2,722; 2023 $30,425"
    first = text_node(hit(f"Cloud\n\nIt sells storage.\n\n{TOTALS}", heading="Segments > Cloud"))
    assert quotable(first) == [row]
    alone = text_node(hit(TOTALS, heading="Segments > Cloud"))
    assert quotable(alone) == [row]
    led = text_node(hit(f"{lead}\n\n{TOTALS}", heading="Segments > Cloud"))
    assert quotable(led) == [row]
    head, *rest = TOTALS.split("\n")
    for prefix in (f"{lead}\n{head}", head):
        later = text_node(hit("\n".join(rest), prefix=prefix, heading="Segments > Cloud"))
        assert quotable(later) == [row]


def test_a_title_that_is_one_of_the_tables_groups_is_no_title_of_the_others() -> None:
    found = text_node(hit(f"Cloud\n\n{TOTALS}\n| Cloud |  |  |\n| \u00a0\u00a0Sales | 4 | 5 |"))
    assert quotable(found) == [
        "Consolidated, Net income: 2022 $2,722; 2023 $30,425",
        "Cloud, Sales: 2022 4; 2023 5",
    ]


def test_a_later_part_of_a_statement_or_of_a_segments_table_keeps_its_title() -> None:
    def later(heading: str) -> list[str]:
        prefix = "(In millions)\n|  | 2023 |"
        return quotable(text_node(hit("| Net sales | 9 |", prefix=prefix, heading=heading)))

    assert later("BALANCE SHEETS") == ["BALANCE SHEETS (In millions), Net sales: 2023 9"]
    assert later("Note 9 > Pump Segment") == ["Pump Segment (In millions), Net sales: 2023 9"]
    assert later("NOTES TO FINANCIAL STATEMENTS") == ["(In millions), Net sales: 2023 9"]


def test_what_leads_to_a_table_or_is_cut_off_is_not_quoted() -> None:
    text = (
        "and the pumps were sold to the city of Akron last year. "
        "The components of other income, net, were as follows:\n\n"
        "The following table shows the changes in deferred revenue.\n\n"
        "iPump sales doubled this year.\n\nCosts rose because the copper that we buy at the"
    )
    assert quotable(text_node(hit(text))) == ["iPump sales doubled this year."]


def test_a_sentence_is_quoted_once_not_again_with_its_neighbour(minilm: Embedder) -> None:
    found = hit("We like copper. Copper is a risk for our pumps. Copper is rare in Ohio.")
    quotes = [quote.text for quote in best_quotes("Is copper a risk?", [found], minilm)]
    assert sum("Copper is a risk" in text for text in quotes) == 1


def test_the_row_of_the_very_amount_goes_before_those_that_hold_its_words(
    minilm: Embedder,
) -> None:
    hits = [
        hit("Deferred Revenue\n\n|  | 2023 | 2022 |\n| Deferred revenue | 502 | 451 |"),
        hit("Other income (expense), net was $938 million of revenue in 2023."),
        hit("|  | 2023 | 2022 |\n| Interest income | 7 | 6 |\n| Revenue | 26,974 | 26,914 |"),
        hit("|  | 2023 | 2022 |\n| Net income | 4,368 | 9,752 |"),
    ]
    revenue = best_quotes("What was Quill's total revenue in 2023?", hits, minilm)[0]
    assert revenue.text == "Revenue: 2023 26,974; 2022 26,914"
    income = best_quotes("What was Quill's net income in 2023?", hits, minilm)[0]
    assert income.text == "Net income: 2023 4,368; 2022 9,752"


def test_less_is_no_group_but_a_year_and_the_whole_company_are() -> None:
    table = (
        "|  | Pumps |\n| Less: |  |\n| Costs | 4 |\n| Total | 5 |\n| 2023: |  |\n| Sales | 6 |\n"
        "| Total | 7 |\n| Consolidated |  |\n| Cash | 8 |"
    )
    assert quotable(text_node(hit(table))) == [
        "Costs: Pumps 4",
        "Total: Pumps 5",
        "2023, Sales: Pumps 6",
        "2023, Total: Pumps 7",
        "Consolidated, Cash: Pumps 8",
    ]


def test_a_scale_in_a_lead_in_stands_in_the_row() -> None:
    lead = "Sales of all our pumps to all our customers in 2023 were as follows (in millions):"
    found = text_node(hit(f"{lead}\n\n|  | 2023 |\n| Sales | $9 |"))
    assert quotable(found) == ["(in millions), Sales: 2023 $9"]


def test_a_dated_row_goes_first_and_an_undated_one_says_so(minilm: Embedder) -> None:
    undated = hit("| Operating income | $4 | $5 |")
    dated = hit("|  | 2023 | 2022 |\n| Operating income | 9 | 8 |")
    question = "What was Quill's operating income in 2023?"
    quotes = best_quotes(question, [undated, dated], minilm)
    assert quotes[0].text == "Operating income: 2023 9; 2022 8"
    (alone,) = best_quotes(question, [undated], minilm)
    assert alone.text.endswith("(the passage names neither columns nor periods for these)")
