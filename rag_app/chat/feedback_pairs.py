"""Marks to the question-passage pairs that training reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag_app.chat.marks import Mark, ShownPassage
from rag_app.sealed import write_whole

State = Literal["accepted", "waiting", "rejected"]


@dataclass(frozen=True, slots=True)
class FeedbackPair:
    """A question and a passage that a mark speaks for; only an accepted one trains.

    A passage marked as the right one is accepted: who marked it has read it. So is the one passage
    that an answer with a thumb up cites, where nothing else was marked of that answer; of several,
    or beside another mark, a thumb does not say which, and they wait for a reviewer. A reviewer's
    word goes before both.

    ``question`` is the text that was searched for, or what the asker edited it to.
    """

    mark_id: int
    question: str
    passage: ShownPassage
    state: State

    @property
    def id(self) -> str:
        """``12.3``: the third passage of the answer that mark 12 is about."""
        return f"{self.mark_id}.{self.passage.number}"

    @property
    def row(self) -> dict[str, str]:
        """The columns that ``python -m finetune --data`` reads, and the id."""
        return {
            "id": self.id,
            "question": self.question,
            "answer": "",
            "context": self.passage.text,
            "ticker": self.passage.ticker,
            "filing": f"{self.passage.fiscal_year}_{self.passage.form.replace('-', '')}",
        }


def feedback_pairs(marks: Sequence[Mark]) -> list[FeedbackPair]:
    """The pairs of all marks, in the order of marks; equal ones are one, the most decided."""
    edited = {m.asked.id: m.value for m in marks if m.kind == "edited-question"}
    said = Counter(mark.asked.id for mark in marks)
    found: dict[tuple[str, str], FeedbackPair] = {}
    for mark in marks:
        question = edited.get(mark.asked.id, mark.asked.searched_for)
        for passage, sure in _spoken_for(mark, alone=said[mark.asked.id] == 1):
            pair = FeedbackPair(mark.id, question, passage, _state(mark, passage.number, sure))
            known = found.setdefault((question, passage.text), pair)
            if _ORDER[pair.state] < _ORDER[known.state]:
                found[question, passage.text] = pair
    return list(found.values())


def accepted_pairs(marks: Sequence[Mark]) -> list[FeedbackPair]:
    """The pairs that train."""
    return [pair for pair in feedback_pairs(marks) if pair.state == "accepted"]


def write_pairs(pairs: Sequence[FeedbackPair], path: Path) -> None:
    """Write one JSON object a line, whole.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    lines = [json.dumps(pair.row, ensure_ascii=False) + "\n" for pair in pairs]
    write_whole(path, "".join(lines).encode())


_ORDER: dict[State, int] = {"rejected": 0, "accepted": 1, "waiting": 2}
"""Of two marks on one pair: a rejection is believed before an acceptance."""


def _spoken_for(mark: Mark, *, alone: bool) -> Iterator[tuple[ShownPassage, bool]]:
    """The passages that a mark speaks for, and whether it does so without a reviewer.

    ``alone``: nothing else was marked of the answer.
    """
    passages = mark.asked.passages
    if mark.kind == "right-passage":
        yield from ((passage, True) for passage in passages if passage.chunk_id == mark.value)
    elif mark.kind == "up":
        cited = [passage for passage in passages if passage.cited]
        yield from ((passage, alone and len(cited) == 1) for passage in cited)


def _state(mark: Mark, number: int, sure: bool) -> State:
    accepted = mark.reviews.get(number)
    if accepted is None:
        return "accepted" if sure else "waiting"
    return "accepted" if accepted else "rejected"
