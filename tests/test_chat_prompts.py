"""Prompts: passages as quoted data, follow-ups that lean on the question before."""

from __future__ import annotations

import pytest

from rag_app.chat.prompts import Turn, stand_alone

BEFORE = [Turn("What was NVIDIA's revenue in fiscal 2023?", "26,974 [1]")]


@pytest.mark.parametrize("follow_up", ["and in 2022?", "Why did it fall?", "Net income?"])
def test_a_follow_up_keeps_its_context(follow_up: str) -> None:
    assert stand_alone(follow_up, BEFORE) == f"{BEFORE[0].question} {follow_up}"


def test_a_whole_question_stands_alone() -> None:
    question = "Which risks does Apple name for its supply chain?"
    assert stand_alone(question, BEFORE) == question
    assert stand_alone("and in 2022?", []) == "and in 2022?"
