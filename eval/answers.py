"""The cited answer judged: is the gold passage cited, the gold figure said, each figure backed.

Metrics are shares between 0 and 1, a value a question. What has no denominator (a reference
without figures, an answer without them) has no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from eval.evalset import EvalSet
from eval.files import read_jsonl
from eval.protocols.choices import Choices
from eval.rows import load_qa_rows, text_of
from rag_app.records import Answer

CITED, GOLD_FIGURES, BACKED, REFUSED = (
    "gold passage cited",
    "gold figures in the answer",
    "figures found in the cited passages",
    "refused",
)


def question_references(data: str, choices: Choices) -> dict[str, str]:
    """Question id → reference answer, of a file of questions; empty where a line has none."""
    lines = read_jsonl(Path(data).expanduser())
    return {str(line["id"]): text_of(line.get("answer")) for line in lines}


def row_references(data: str, choices: Choices) -> dict[str, str]:
    """Row number → reference answer, of question-answer rows."""
    return {row.id: row.answer for row in load_qa_rows(data, choices.columns)}


REFERENCES: dict[str, Callable[[str, Choices], dict[str, str]]] = {
    "questions": question_references,
    "filings": row_references,
}
"""Protocol → how its reference answers are read."""


def pick(evalset: EvalSet, count: int) -> list[str]:
    """``count`` question ids spread evenly over the set, hence over its companies; or all."""
    ids = list(evalset.queries)
    kept = min(count, len(ids))
    return [ids[number * len(ids) // kept] for number in range(kept)]


def judge_answer(answer: Answer, right: Mapping[str, int], reference: str) -> dict[str, float]:
    """Metric → value of one answer.

    ``right`` are the ids of the gold passages. A figure of the reference counts when the answer
    shows it, as written or in another scale, rounded as written (``rag_app/chat/figures.py``).
    """
    from rag_app.chat.figures import numbers_in, shows
    from rag_app.chat.prompts import REFUSAL

    values = {
        CITED: float(any(citation.chunk_id in right for citation in answer.citations)),
        REFUSED: float(not answer.text.strip() or REFUSAL in answer.text),
    }
    gold = numbers_in(reference)
    if gold:
        values[GOLD_FIGURES] = sum(shows(answer.text, figure) for figure in gold) / len(gold)
    if answer.figures:
        values[BACKED] = sum(figure.found for figure in answer.figures) / len(answer.figures)
    return values
