"""Citations that exist, and figures looked up in what they cite."""

from __future__ import annotations

import pytest
from passages import hit

from rag_app.chat.citations import check_figures, cite

HITS = [
    hit("Revenue was $41 million in 2023."),
    hit("Copper is short, which would raise what we pay for every pump."),
    hit("In thousands\n| | 2023 |\n| Net income | 1,234 |"),
]


@pytest.mark.parametrize(
    ("text", "cleaned", "markers"),
    [
        ("It was $41 million [1].", "It was $41 million [1].", [1]),
        ("It rose [1, 3].", "It rose [1][3].", [1, 3]),
        ("It rose [1][7].", "It rose [1].", [1]),
        ("It rose [2] and fell [0].", "It rose [2] and fell.", [2]),
        ("Both [3] hold [1].", "Both [3] hold [1].", [1, 3]),
    ],
)
def test_only_markers_that_exist_are_kept(text: str, cleaned: str, markers: list[int]) -> None:
    shown, citations = cite(text, HITS)
    assert shown == cleaned
    assert [citation.marker for citation in citations] == markers
    for citation in citations:
        assert citation.chunk_id == HITS[citation.marker - 1].node.node_id
        assert HITS[citation.marker - 1].node.get_content() in citation.text


def test_an_answer_without_markers_gets_those_of_the_passages_that_support_it() -> None:
    shown, citations = cite("Revenue was $41 million. A copper shortage raises pump costs.", HITS)
    assert shown == "Revenue was $41 million. [1] A copper shortage raises pump costs. [2]"
    assert [citation.marker for citation in citations] == [1, 2]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        (
            "Revenue was $41 million. Copper is short. Revenue was $41 million.",
            "Revenue was $41 million. [1] Copper is short. [2] Revenue was $41 million. [1]",
        ),
        (
            "In short, Revenue was $41 million. Revenue was $41 million.",
            "In short, Revenue was $41 million. [1] Revenue was $41 million. [1]",
        ),
    ],
    ids=["equal", "contained in an earlier one"],
)
def test_each_sentence_gets_its_own_marker(text: str, cited: str) -> None:
    assert cite(text, HITS)[0] == cited


def test_a_wrong_figure_points_to_where_it_should_stand_and_is_named_as_not_found() -> None:
    shown, citations = cite("Revenue was $42 million in 2023.", HITS)
    assert shown == "Revenue was $42 million in 2023. [1]"
    assert [figure.found for figure in check_figures(shown, citations)] == [False]


@pytest.mark.parametrize("text", ["Whales sing in winter.", "All markers lie [9]."])
def test_what_nothing_supports_stays_bare(text: str) -> None:
    shown, citations = cite(text, HITS)
    assert citations == ()
    assert "[" not in shown


def test_a_figure_names_the_cited_passage_that_shows_it() -> None:
    text, citations = cite("Revenue was $41 million [1]. Net income was $1.234 million [3].", HITS)
    assert [(f.text, f.marker) for f in check_figures(text, citations)] == [
        ("$41 million", 1),
        ("$1.234 million", 3),
    ]


def test_a_figure_that_no_cited_passage_shows_is_not_found() -> None:
    text, citations = cite("Revenue was $43 million, income 1,234 [1].", HITS)
    assert [(f.text, f.found) for f in check_figures(text, citations)] == [
        ("$43 million", False),
        ("1,234", False),  # passage 3 shows it, but nothing cites passage 3
    ]
