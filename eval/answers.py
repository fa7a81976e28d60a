"""The cited answer judged: is the gold passage cited, the gold figure said, each figure backed.

Metrics are shares between 0 and 1, a value a question. What has no denominator (a reference
without figures, an answer without them) has no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.evalset import EvalSet
from eval.files import read_jsonl
from eval.held import held_ids
from eval.protocols.choices import Choices
from eval.retrieval import Metrics
from eval.rows import load_qa_rows, text_of
from eval.searches import Progress, Scored, filters_of, narrowings
from rag_app.answer import Reply
from rag_app.chat.figures import numbers_in, shows
from rag_app.chat.prompts import REFUSAL
from rag_app.errors import EmptyAnswer
from rag_app.index.retriever import served_retriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Answer, Filters

if TYPE_CHECKING:
    from rag_app.chat.llm import ChatLLM
    from rag_app.settings import Settings

ANSWER = "answer"
CITED, GOLD_FIGURES, BACKED, REFUSED = (
    "gold passage cited",
    "gold figures in the answer",
    "figures found in the cited passages",
    "refused",
)


@dataclass(frozen=True, slots=True)
class Answering:
    """How questions are answered: which of them, at which dimension, as the settings say.

    ``references`` maps question id → reference answer.
    """

    query_ids: tuple[str, ...]
    dim: int
    settings: Settings
    llm: ChatLLM | None
    references: Mapping[str, str]


def question_references(data: str, choices: Choices) -> dict[str, str]:
    """Question id → reference answer, of a file of questions; empty where a line has none."""
    lines = read_jsonl(Path(data).expanduser())
    return {str(line["id"]): text_of(line.get("answer")) for line in lines}


def row_references(data: str, choices: Choices) -> dict[str, str]:
    """Row number → reference answer, of question-answer rows."""
    return {row.id: row.answer for row in load_qa_rows(data, choices.columns)}


def held_references(data: str, choices: Choices) -> dict[str, str]:
    """Question id → reference answer, of a file of held questions; empty where a line has none."""
    path = Path(data).expanduser()
    lines = zip(held_ids(path), read_jsonl(path), strict=True)
    return {id_: text_of(line.get("answer")) for id_, line in lines}


REFERENCES: dict[str, Callable[[str, Choices], dict[str, str]]] = {
    "questions": question_references,
    "filings": row_references,
    "paraphrased": held_references,
}
"""Protocol → how its reference answers are read."""


def pick(evalset: EvalSet, count: int) -> list[str]:
    """``count`` question ids spread evenly over the set, hence over its companies; or all."""
    ids = list(evalset.queries)
    kept = min(count, len(ids))
    return [ids[number * len(ids) // kept] for number in range(kept)]


def judge_answer(
    answer: Answer | None, right: Mapping[str, int], reference: str
) -> dict[str, float]:
    """Metric → value of one answer; None is a question that got none.

    ``right`` are the ids of the gold passages. A figure of the reference counts when the answer
    shows it, as written or in another scale, rounded as written (``rag_app/chat/figures.py``).
    """
    text = answer.text.strip() if answer else ""
    citations = answer.citations if answer else ()
    figures = answer.figures if answer else ()
    values = {
        CITED: float(any(citation.chunk_id in right for citation in citations)),
        REFUSED: float(not text or REFUSAL in text),
    }
    gold = numbers_in(reference)
    if gold:
        values[GOLD_FIGURES] = sum(shows(text, figure) for figure in gold) / len(gold)
    if figures:
        values[BACKED] = sum(figure.found for figure in figures) / len(figures)
    return values


def answer_stage(
    snapshot: Snapshot, evalset: EvalSet, answering: Answering, on_asked: Progress
) -> Scored:
    """Answer questions as chat does, within the company where the set has a filter.

    Raises:
        LLMError: the LLM server failed.
    """
    narrow = narrowings(evalset)[-1]
    values: Metrics = {metric: {} for metric in (CITED, GOLD_FIGURES, BACKED, REFUSED)}
    for query_id in answering.query_ids:
        filters = filters_of(evalset, query_id, narrow)
        answer = _answer(evalset.queries[query_id], snapshot, filters, answering)
        right = evalset.qrels.get(query_id, {})
        reference = answering.references.get(query_id, "")
        for metric, value in judge_answer(answer, right, reference).items():
            values[metric][query_id] = value
        on_asked(1)
    return {(ANSWER, f"{answering.dim}{narrow}"): values}


def _answer(
    question: str, snapshot: Snapshot, filters: Filters, answering: Answering
) -> Answer | None:
    """None where the filter admits no filing, or the LLM says nothing."""
    if filters and not snapshot.admitted(filters):
        return None
    retriever = served_retriever(snapshot, answering.settings, filters)
    below = answering.settings.refuse_below
    reply = Reply(question, retriever, answering.llm, refuse_below=below)
    try:
        for _ in reply:
            pass
    except EmptyAnswer:
        return None
    return reply.answer
