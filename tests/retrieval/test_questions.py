"""Retrieval regression tests: each line of questions.jsonl, and the gate over all of them."""

from __future__ import annotations

from eval.gate import Verdict, gate_table, is_found
from eval.served import Measured


def test_the_passage_is_found(held_id: str, retrieval: Measured) -> None:
    question = next(asked for asked in retrieval.questions if asked.id == held_id)
    assert is_found(retrieval, question), (
        f"{question.text} ({question.filters}): none of {', '.join(question.right)} is among "
        f"{', '.join(retrieval.hits['fused'][held_id][:10])}"
    )


def test_nothing_is_worse_than_its_baseline(retrieval_verdict: Verdict) -> None:
    assert retrieval_verdict.passed, f"\n{gate_table(retrieval_verdict)}"
