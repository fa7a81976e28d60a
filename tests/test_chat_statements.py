"""Statements of an answer, what they cite, and the part of a passage that supports each."""

from __future__ import annotations

import pytest
from passages import hit

from rag_app.chat.citations import unknown_markers
from rag_app.chat.prompts import REFUSAL
from rag_app.chat.quotes import NOTE
from rag_app.chat.statements import statements
from rag_app.chat.support import supporting_parts

TABLE = [
    "Results (in millions)",
    "|  | 2023 | 2022 |",
    "| Revenue | 26,974 | 26,914 |",
    "| Costs: |  |  |",
    "| Research | 7,339 | 5,268 |",
]
PROSE = ["Copper is short. Orders rose to $5 million in 2023.", "", "We lease a plant in Ohio."]


def test_a_statement_carries_the_markers_behind_it() -> None:
    text = "Revenue rose [1]. Games drove it. [2][3]\n\n- Cash fell [1]"
    found = list(statements(text))
    assert [each.markers for each in found] == [(1,), (2, 3), (1,)]
    assert [each.said for each in found] == ["Revenue rose.", "Games drove it.", "Cash fell"]
    assert [text[each.start : each.end] for each in found] == [each.text for each in found]


def test_a_quoted_line_is_one_statement() -> None:
    text = f"- A customer has sued us. We have accrued nothing so far. [2]\n\n{NOTE}"
    assert [each.markers for each in statements(text, quoted=True)] == [(2,), ()]
    assert not any(each.bare for each in statements(text, quoted=True))


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("The company leases most of its plants.", True),
        ("It rose 5%.", True),
        ("| Revenue | 26,974 |", True),
        ("The company leases most of its plants [1].", False),
        ("| Revenue | 26,974 [1] |", False),
        ("| Segment | 2023 |", False),
        ("|---|---|", False),
        ("The main risks of the business are:", False),
        ("Shall I look at another year?", False),
        ("**Risk factors**", False),
        (f"- {REFUSAL}", False),
        (NOTE, False),
    ],
)
def test_what_says_something_and_names_no_passage_is_bare(text: str, bare: bool) -> None:
    (statement,) = statements(text)
    assert statement.bare == bare


def test_markers_without_a_passage_are_counted() -> None:
    hits = [hit("one"), hit("two")]
    assert unknown_markers("It rose [1, 3]. It fell [0][2][9].", hits) == 3
    assert unknown_markers("It rose [1][2].", hits) == 0


@pytest.mark.parametrize(
    ("said", "lines", "supported"),
    [
        ("Revenue was $26.97 billion in 2023.", TABLE, ["| Revenue | 26,974 | 26,914 |"]),
        ("Research costs were $5,268 million in 2022.", TABLE, ["| Research | 7,339 | 5,268 |"]),
        (
            "Revenue was $26,974 million and research costs were $7,339 million in 2023.",
            TABLE,
            ["| Research | 7,339 | 5,268 |", "| Revenue | 26,974 | 26,914 |"],
        ),
        ("Orders rose to $5 million.", PROSE, ["Orders rose to $5 million in 2023."]),
        ("A shortage of copper.", PROSE, ["Copper is short."]),
        (
            "Copper is short. We lease a plant in Ohio.",
            PROSE,
            ["Copper is short.", "We lease a plant in Ohio."],
        ),
        ("Whales sing in winter.", PROSE, []),
        ("Whales sing: backlog was $94.6 million at the end of 2023.", TABLE, []),
        ("Costs of research were $99 million.", TABLE, ["| Research | 7,339 | 5,268 |"]),
    ],
)
def test_the_sentence_or_row_that_supports_a_statement(
    said: str, lines: list[str], supported: list[str]
) -> None:
    assert sorted(part.text for part in supporting_parts(said, lines)) == sorted(supported)


def test_lines_repeated_from_before_the_passage_support_nothing() -> None:
    said = "Revenue was $26.97 billion in 2023."
    assert not supporting_parts(said, TABLE, first=3)
