"""Follow-ups become questions that stand alone: by rules, and by an LLM that is held to them."""

from __future__ import annotations

import datetime as dt

import pytest
from llm_standin import StandIn, llm_standin

from rag_app.chat.followups import keeps_to, stand_alone
from rag_app.chat.llm import ChatLLM
from rag_app.chat.prompts import Turn
from rag_app.companies import companies_of
from rag_app.records import Filing

DAY = dt.date(2023, 12, 31)
COMPANIES = companies_of(
    Filing(name, "10-K", 2023, DAY, name, "x", ticker)
    for name, ticker in [("NVIDIA Corp", "NVDA"), ("Apple Inc.", "AAPL"), ("Tesla, Inc.", "TSLA")]
)
REVENUE = "What was NVIDIA's revenue in fiscal 2023?"
CHANGE = "How did R&D change from 2021 to 2023 at Nvidia?"


def carried(question: str, before: str = REVENUE) -> str:
    return stand_alone(question, [Turn(before, "26,974 [1]")], COMPANIES)


@pytest.mark.parametrize(
    ("follow_up", "whole"),
    [
        ("and in 2022?", "What was NVIDIA's revenue in fiscal 2022?"),
        ("and the year before?", "What was NVIDIA's revenue in fiscal 2022?"),
        ("the year after?", "What was NVIDIA's revenue in fiscal 2024?"),
        ("what about AMD?", "What was AMD's revenue in fiscal 2023?"),
        ("what about MPQX?", "What was $MPQX's revenue in fiscal 2023?"),
        ("What about Netflix?", "What was Netflix's revenue in fiscal 2023?"),
        ("How much was it the year before?", "What was NVIDIA's revenue in fiscal 2022?"),
        ("What about Apple?", "What was Apple's revenue in fiscal 2023?"),
        ("And Apple in 2024?", "What was Apple's revenue in fiscal 2024?"),
        ("for Tesla and Apple?", "What was Tesla and Apple's revenue in fiscal 2023?"),
    ],
)
def test_a_company_or_year_takes_the_place_of_the_one_before(follow_up: str, whole: str) -> None:
    assert carried(follow_up) == whole


@pytest.mark.parametrize(
    ("before", "follow_up", "whole"),
    [
        (CHANGE, "what about Apple?", "How did R&D change from 2021 to 2023 at Apple?"),
        (CHANGE, "and in 2024?", "How did R&D change in 2024 at Nvidia?"),
        ("NVDA and AAPL margins 2022 vs 2023", "and TSLA?", "TSLA margins 2022 vs 2023"),
        ("NVDA and AAPL margins 2022 vs 2023", "in 2024?", "NVDA and AAPL margins 2024"),
        ("Equity at December 31, 2023?", "and in 2022?", "Equity at December 31, 2022?"),
        ("What are the main risks?", "for Apple?", "What are the main risks for Apple?"),
        ("What are the main risks?", "in 2024?", "What are the main risks in 2024?"),
    ],
)
def test_any_number_of_them(before: str, follow_up: str, whole: str) -> None:
    assert carried(follow_up, before) == whole


@pytest.mark.parametrize(
    "follow_up",
    ["Why did it fall?", "Net income?", "How does that compare with what Apple earned?"],
)
def test_what_says_more_is_put_behind(follow_up: str) -> None:
    assert carried(follow_up) == f"{REVENUE} {follow_up}"


def test_a_third_follow_up_repeats_neither_the_first_nor_itself() -> None:
    drivers = f"{REVENUE} Why did it fall?"
    assert carried("Net income?", drivers) == f"{REVENUE} Net income?"
    assert carried("and in 2022?", drivers) == drivers.replace("2023", "2022")
    composite = "And in fiscal 2023 for NVIDIA? What about NVIDIA's data center revenue in 2023?"
    assert carried("How much was it the year before?", composite) == (
        "What about NVIDIA's data center revenue in 2022?"
    )


def test_what_says_more_of_another_year_leaves_the_old_year_out() -> None:
    assert carried("and gross margin in 2024?") == (
        "What was NVIDIA's revenue in fiscal 2024? and gross margin in 2024?"
    )


def test_a_whole_question_stands_alone() -> None:
    for question in (
        "Which risks does Apple name for its supply chain?",
        "NVIDIA revenue 2024",
        "What was the gross margin of the company in fiscal 2021?",
    ):
        assert carried(question) == question
    assert stand_alone("and in 2022?", [], COMPANIES) == "and in 2022?"


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("What was NVIDIA's revenue in fiscal 2022?", True),
        ('"What was the revenue of NVIDIA in 2022?"', True),
        ("NVIDIA's revenue in fiscal 2022 was $26.9 billion.", False),
        ("What was Apple's revenue in fiscal 2022?", False),
        ("What was NVIDIA's revenue?", False),
        ("Sure! Here is a question that can be understood in 2022 without anything else", False),
        ("Line one 2022\nline two", False),
    ],
)
def test_the_llm_rewrites_and_is_held_to_the_conversation(said: str, taken: bool) -> None:
    with llm_standin(StandIn(pieces=[said])) as answers:
        llm = ChatLLM("stand-in", answers.url, "", 20.0)
        found = stand_alone("and in 2022?", [Turn(REVENUE, "26,974 [1]")], COMPANIES, llm)
        asked = str(answers.requests[0]["messages"])
    assert found == (said.strip('"') if taken else "What was NVIDIA's revenue in fiscal 2022?")
    assert REVENUE in asked
    assert "and in 2022?" in asked


def test_the_rules_step_in_for_a_dead_llm() -> None:
    with llm_standin(StandIn(status=401)) as answers:
        llm = ChatLLM("stand-in", answers.url, "", 20.0)
        assert stand_alone("and in 2022?", [Turn(REVENUE, "x")], COMPANIES, llm) == (
            "What was NVIDIA's revenue in fiscal 2022?"
        )


def test_a_question_of_its_own_costs_no_request() -> None:
    with llm_standin(StandIn()) as answers:
        llm = ChatLLM("stand-in", answers.url, "", 20.0)
        question = "What was Apple's revenue in fiscal 2023?"
        assert stand_alone(question, [Turn(REVENUE, "x")], COMPANIES, llm) == question
        assert not answers.requests


def test_nothing_is_no_question() -> None:
    assert not keeps_to("", "and in 2022?", [Turn(REVENUE, "x")], COMPANIES)
