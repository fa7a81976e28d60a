"""The figure check: each verdict, and the label and period that a sentence names."""

from __future__ import annotations

import datetime as dt

import pytest

from rag_app.chat.citations import as_quoted, check_figures
from rag_app.records import Citation, Fact, Figure

PATH = "Quill, Inc. 10-K fiscal 2023 > Item 7. MD&A"
RESULTS = (
    f"{PATH}\nResults (In millions, except per share data)\n"
    "|  | Year Ended |  |\n|  | Jan 29, 2023 | Jan 30, 2022 |\n"
    "| Revenue | $26,974 | $26,914 |\n"
    "| Cost of revenue | 11,618 | 9,439 |\n"
    "| Gross profit | 15,356 | 17,475 |\n"
    "| Operating expenses: |  |  |\n"
    "|   Research and development | 7,339 | 5,268 |\n"
    "|     Total operating expenses | 11,132 | 7,434 |\n"
    "| Other income (expense), net | (43) | (100) |\n"
    "| Gross margin | 56.9% | 64.9% |\n"
    "| Net income per share, diluted | 1.74 | 3.85 |"
)
SPENDING = (
    f"{PATH}\nTotal operating expenses for fiscal 2023 were $11.13 billion, up from $7.43 billion "
    "in fiscal 2022. The notes mature in 2027 and we lease 9 plants."
)
KEY = "QUIL_10-K_2023-01-29"


def fact(concept: str, value: str, year: int) -> Fact:
    return Fact(
        concept=concept,
        value=value,
        numeric=True,
        unit="USD",
        period_start=dt.date(year - 1, 1, 31),
        period_end=dt.date(year, 1, 29),
    )


FACTS = {KEY: (fact("us-gaap:PaymentsOfDividends", "398000000", 2023),)}


def checked(text: str, *passages: str) -> list[Figure]:
    cited = [
        Citation(marker, f"{KEY}:7:{marker}", KEY, "7", passage)
        for marker, passage in enumerate(passages or (RESULTS,), start=1)
    ]
    return list(check_figures(text, cited, FACTS))


def verdicts(text: str, *passages: str) -> list[str]:
    return [figure.verdict for figure in checked(text, *passages)]


@pytest.mark.parametrize(
    "text",
    [
        "Revenue was $26,974 million in fiscal 2023 [1].",
        "Net sales came to $26.97 billion in fiscal 2023 [1].",
        "In fiscal 2023, Quill generated total revenue of $27.0bn [1].",
        "Revenue was $26,974,000 thousand for the year ended January 29, 2023 [1].",
        "Revenue was about $27 billion, against $26.9 billion a year earlier [1].",
        "Revenue was $26,974 million and $26,914 million in 2023 and 2022, respectively [1].",
        "Other income (expense), net was $(43) million in fiscal 2023 [1].",
        "Gross margin fell to 57% in fiscal 2023 [1].",
        "Diluted EPS was $1.74 in fiscal 2023 [1].",
        "R&D expenses were $7.3 billion in fiscal 2023 [1].",
    ],
)
def test_in_a_passage(text: str) -> None:
    assert set(verdicts(text)) == {"in passage"}


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("Revenue was $26,914 million in fiscal 2023 [1].", "$26,974"),  # another year's
        ("Revenue was $15,356 million in fiscal 2023 [1].", "$26,974"),  # another row's
        ("Revenue was $26,974 thousand in fiscal 2023 [1].", "$26,974"),  # another scale
        ("Revenue was $26,794 million in fiscal 2023 [1].", "$26,974"),  # digits changed over
        ("Revenue was -$26,974 million in fiscal 2023 [1].", ""),  # a sign turned
        ("Other income, net was $43 million in fiscal 2023 [1].", ""),
        ("Revenue grew 2.0% from fiscal 2022 to fiscal 2023 [1].", "0.2%"),
        ("Revenue fell 0.2% in fiscal 2023 [1].", "0.2%"),
        ("Diluted EPS was $3.85 in fiscal 2023 [1].", "1.74"),
    ],
)
def test_contradicted_or_not_found(text: str, stands: str) -> None:
    (figure,) = checked(text)
    assert not figure.found
    if stands:
        assert figure.verdict == "contradicted" and stands in figure.detail


def test_a_figure_of_another_label_is_not_found_though_the_number_stands_there() -> None:
    """SmolLM2's answer on NVIDIA, which the check of numbers alone let pass."""
    claim = "Quill's total revenue for fiscal 2023 was $11.13 billion [1]."
    assert verdicts(claim, SPENDING) == ["not found"]
    (figure,) = checked(claim.replace("[1]", "[1][2]"), SPENDING, RESULTS)
    assert (figure.verdict, figure.marker) == ("contradicted", 2)
    right = "Total operating expenses were $11.13 billion in fiscal 2023 [1]."
    assert verdicts(right, SPENDING) == ["in passage"]


@pytest.mark.parametrize(
    ("text", "calculation"),
    [
        ("Revenue grew 0.2% in fiscal 2023 [1].", "(26,974 − 26,914) / 26,914 = 0.2%"),
        ("Gross profit declined by $2,119 million from fiscal 2022 to 2023 [1].", "−2,119"),
        ("R&D was 27.2% of revenue in fiscal 2023 [1].", "7,339 / 26,974 = 27.2%"),
        ("Gross margin was down 8.0 percentage points in fiscal 2023 [1].", "−8.0 points"),
        ("Gross margin was down 800 basis points in fiscal 2023 [1].", "−8.0 points"),
        ("Cost of revenue and gross profit together were $26,974 million in 2023 [1].", "26,974"),
    ],
)
def test_derived_with_the_calculation_shown(text: str, calculation: str) -> None:
    (figure,) = checked(text)
    assert figure.verdict == "derived" and figure.marker == 1
    assert calculation in figure.detail


def test_a_fact_that_no_passage_shows() -> None:
    (figure,) = checked("Payments of dividends were $398 million in fiscal 2023 [1].")
    assert (figure.verdict, figure.marker) == ("equals XBRL", None)
    assert figure.detail == "us-gaap:PaymentsOfDividends 398000000 USD, 2022-01-31 to 2023-01-29"
    (other,) = checked("Payments of dividends were $389 million in fiscal 2023 [1].")
    assert other.verdict == "contradicted" and "398000000" in other.detail


def test_counts_are_checked_and_dates_notes_and_lists_are_no_figures() -> None:
    assert verdicts("1. As Note 5 of the 10-K says, Quill leases 9 plants [1].", SPENDING) == [
        "in passage"
    ]
    assert verdicts("Quill leases 8 plants [1].", SPENDING) == ["not found"]
    assert verdicts("The notes mature in 2027 [1].", SPENDING) == []


def test_what_is_copied_word_for_word_stands_there() -> None:
    copied = "Total operating expenses for fiscal 2023 were $11.13 billion, up from $7.43 billion "
    assert verdicts(f"{copied}in fiscal 2022. [1]", SPENDING) == ["in passage", "in passage"]


INTEREST = (
    f"{PATH}\n(In millions)\n|  | 2023 | 2022 | Change |\n| Interest income | 592 | 444 | 148 |\n"
    "| Interest and investment income | 613 | 450 | 163 |"
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Interest and investment income was $613 million in 2023 [1].", "in passage"),
        ("Interest and investment income was $592 million in 2023 [1].", "contradicted"),
        ("Interest income rose by $148 million in 2023 [1].", "in passage"),
        ("Interest income was $148 million in 2023 [1].", "contradicted"),
    ],
)
def test_a_row_that_fits_better_and_a_column_of_changes(text: str, verdict: str) -> None:
    assert verdicts(text, INTEREST) == [verdict]


def test_a_head_with_a_day_stands_beside_one_with_a_year_alone() -> None:
    heads = "|  | Year ended January 29, 2023 | 2022 |"
    table = f"{PATH}\n(In millions)\n{heads}\n| Inventories | 120 | 100 |"
    (figure,) = checked("Inventories rose by $20 million in 2023 [1].", table)
    assert (figure.verdict, figure.detail) == ("derived", "Inventories: 120 − 100 = 20")


def test_a_quoted_row_is_no_claim_that_another_row_contradicts() -> None:
    passage = "(In millions)\n|  | 2023 | 2022 | $ Change |\n| Revenue | 26,974 | 26,914 | $60 |"
    citation = Citation(1, "c", "NVDA_10-K_2023-01-29", "7", passage)
    contradicted = Figure("$60", 3, "contradicted", "Total revenue: $26,914")
    missing = Figure("$61", None, "not found", "")
    assert as_quoted([contradicted, missing], [citation]) == (
        Figure("$60", 1, "in passage", "quoted"),
        missing,
    )


SOLD = f"{PATH}\nOrders for fiscal 2023 from the whole region were $398 million, as was hoped."


@pytest.mark.parametrize(
    "written", ["$0.398 million", "$39", "$3", "-$398 million", "($398) million", "398%", "$398"]
)
def test_the_words_of_a_passage_with_another_number_are_not_its_sentence(written: str) -> None:
    (figure,) = checked(f"Orders for fiscal 2023 from the whole region were {written} [1].", SOLD)
    assert "word for word" not in figure.detail
    assert written == "$398" or figure.verdict in ("contradicted", "not found")


def test_a_sentence_stands_word_for_word_across_marks_and_cells() -> None:
    passage = f"{PATH}\nOrders, for fiscal 2023, from the  whole region were $ 398 million (5 %)."
    text = "Orders for fiscal 2023 from the whole region were $398 million (5%) [1]."
    assert {figure.detail for figure in checked(text, passage)} == {
        "the sentence stands there word for word"
    }


def test_a_bare_number_has_to_have_the_unit_that_the_passage_gives_it() -> None:
    passage = f"{PATH}\nWe spent $5 million on plants."
    assert verdicts("It was 5% [1].", passage) == ["not found"]
    assert verdicts("It was $5 million [1].", passage) == ["in passage"]


BOUGHT = (
    f"{PATH}\nDuring fiscal 2023, the Company repurchased 499 million shares of its common stock "
    "for $95.0 billion."
)


def test_how_many_and_how_much_of_one_sentence_do_not_contradict_each_other() -> None:
    text = "During fiscal 2023, Quill repurchased {} shares of its common stock for $95.0 billion."
    assert verdicts(text.format("499 million"), BOUGHT) == ["in passage", "in passage"]
    assert verdicts(text.format("400 million"), BOUGHT) == ["contradicted", "in passage"]


def test_a_difference_may_repeat_the_digits_of_a_table_in_millions() -> None:
    assert verdicts("Revenue rose by $60 from fiscal 2022 to fiscal 2023 [1].") == ["derived"]
    assert verdicts("Revenue rose by $61 from fiscal 2022 to fiscal 2023 [1].") == ["contradicted"]


def test_net_sales_are_the_concept_of_revenue_from_contracts() -> None:
    concept = "us-gaap:RevenueFromContractWithCustomerExcludingAssessedTax"
    facts = {KEY: (fact(concept, "26974000000", 2023),)}
    cited = [Citation(1, f"{KEY}:7:1", KEY, "7", SPENDING)]
    (figure,) = check_figures("Net sales were $26,974 million in fiscal 2023 [1].", cited, facts)
    assert figure.verdict == "equals XBRL"
