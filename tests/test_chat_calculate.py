"""Expressions of a model: computed by code as they stream, their operands checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from llm_standin import StandIn, llm_standin

from rag_app.answer import Reply
from rag_app.chat.calculate import (
    MAX_DEPTH,
    MAX_LENGTH,
    NOT_COMPUTED,
    Calculation,
    calculated,
    computed,
    evaluate,
    with_calculations,
)
from rag_app.chat.citations import check_figures
from rag_app.chat.llm import ChatLLM
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.library import Library
from rag_app.records import Citation
from rag_app.render import answer_json

PASSAGE = (
    "Quill 10-K fiscal 2023\nIn millions\n| | 2023 | 2022 |\n| Revenue | $26,974 | $26,914 |\n\n"
    "Backlog was $2.7 billion."
)
CITED = [Citation(1, "a:7:1", "QUIL_10-K_2023-12-31", "7", PASSAGE)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14.0),
        ("(26,974[1] - 26,914 [1]) / 26914 %", 60 / 26914),
        ("-2 * -(3 - 5)", -4.0),
        ("$8 / 4 / 2", 1.0),
        ("10 − 4 ÷ 2", 8.0),
    ],
)
def test_arithmetic(expression: str, value: float) -> None:
    assert evaluate(expression)[0] == pytest.approx(value)


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os')",
        "1 / 0",
        "1 / (2 - 2)",
        "2 ** 9",
        "1 +",
        "(1",
        "1 2",
        "",
        "9" * (MAX_LENGTH + 1),
        "(" * (MAX_DEPTH + 2) + "1" + ")" * (MAX_DEPTH + 2),
        "-" * 200 + "1",
        "revenue / 2",
    ],
)
def test_what_is_no_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        evaluate(expression)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_expressions_are_replaced_however_the_text_is_cut(size: int) -> None:
    text = "It grew {{(26,974 - 26,914) / 26,914 %}} [1], {so}; {{1/0}} {{ 2 * 3 }}."
    done: list[Calculation] = []
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert "".join(computed(pieces, done)) == f"It grew 0.2% [1], {{so}}; {NOT_COMPUTED} 6."
    assert [c.text for c in done] == ["0.2%", "6"]


def test_an_expression_that_never_ends_is_let_go() -> None:
    assert "".join(computed(["a {{1 + 2"], [])) == "a {{1 + 2"
    long = "a {{" + "1" * (MAX_LENGTH + 5)
    assert "".join(computed([long, "b"], [])) == long + "b"


@pytest.mark.parametrize(
    ("expression", "verdict", "said"),
    [
        ("(26,974 - 26,914) / 26,914 %", "derived", "(26,974 - 26,914) / 26,914 = 0.2%"),
        ("(26,974 - 26,900) / 26,900 %", "not found", "no cited passage shows 26,900"),
        ("26,974 / 26,914 * 100", "derived", "26,974 / 26,914 * 100 = 100.22"),
        ("(100 - 26,914) / 26,914 %", "not found", "no cited passage shows 100"),
        ("26,974 / 2.7 %", "not found", "26,974 and 2.7 are not in one scale"),
    ],
)
def test_each_operand_must_stand_in_a_cited_passage(
    expression: str, verdict: str, said: str
) -> None:
    done: list[Calculation] = []
    text = "".join(computed([f"Revenue grew {{{{{expression}}}}} in 2023 [1]."], done))
    (figure,) = with_calculations(check_figures(text, CITED), done, CITED)
    assert figure.verdict == verdict and said in figure.detail


def test_an_answer_is_computed_while_it_streams(sample_home: Path, minilm: Embedder) -> None:
    """The read path over the real sample library; the server alone is a stand-in."""
    retriever = FilingsRetriever(open_snapshot(Library(sample_home), minilm, 384), k=3)
    said = ["The order backlog fell {", "{(94.6 - 103.9) / 103.9", " %}} in 2023 [1]."]
    with llm_standin(StandIn(pieces=said)) as answers:
        llm = ChatLLM(name="stand-in", url=answers.url, key="", timeout_s=10.0)
        reply = Reply("What was Larkspur's order backlog at the end of 2023?", retriever, llm)
        streamed = "".join(reply)
    assert streamed == "The order backlog fell -9.0% in 2023 [1]."
    (figure,) = answer_json(reply.answer)["figures"]
    assert (figure["verdict"], figure["found"]) == ("derived", True)
    assert figure["detail"] == "(94.6 - 103.9) / 103.9 = -9.0%"
    assert "{{" in answers.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("expression", "text"),
    [("1 / 300", "0.00333"), ("0 - 1 / 300", "-0.00333"), ("2.5 * 3", "7.50"), ("1 / 8", "0.125")],
)
def test_a_small_result_keeps_digits_that_tell(expression: str, text: str) -> None:
    assert calculated(expression).text == text


def test_a_percentage_of_nothing_is_not_computed() -> None:
    with pytest.raises(ValueError, match="leave the % out"):
        calculated("56.9 - 64.9 %")


def test_a_figure_that_the_filing_contradicts_is_not_derived_by_its_digits() -> None:
    text = "Revenue fell 0.2% from fiscal 2022 to fiscal 2023 [1]."
    told = calculated("(26,974 - 26,914) / 26,914 %", copied=True)
    (figure,) = with_calculations(check_figures(text, CITED), [told], CITED)
    assert figure.verdict == "contradicted"
