"""Questions generated from ingested filings by the configured LLM, kept if they find their chunk.

Two files grow line by line: OUT holds the kept questions as rows for ``--data``, and OUT's stem +
``.tried.jsonl`` says what became of every chunk that was asked for, so that none is asked twice.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.duplicates import normalised
from eval.files import read_jsonl
from rag_app.chat.text import content_words
from rag_app.errors import DataError, EmptyAnswer, LibraryError
from rag_app.records import Filing, Filters

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

    from rag_app.chat.llm import ChatLLM
    from rag_app.index.snapshot import Snapshot
    from rag_app.settings import Settings

SYSTEM = (
    "You get one passage of a company's SEC filing. Write one question that the passage answers, "
    "as an investor would ask it who has never seen the passage: name the company, the thing and "
    "the period that it asks about. Do not speak of a passage, text or table. Answer with the "
    "question alone."
)
ASK = "Write one question about the company that this passage answers."
MIN_CHUNK_WORDS = 30
MIN_WORDS, MAX_WORDS = 5, 40
MAX_CHARACTERS = 500
"""An answer that has not come to its question by then is left."""
MIN_SHARED_WORDS = 2
"""Fewer of its words in the chunk, and it was found by chance ("What is the answer to this?")."""
_MARKS = re.compile(r"^(?:\s|[-*•]|\d{1,2}[.)]|question\s*\d*\s*:)+", re.I)
_POINTS_AT_TEXT = re.compile(r"\b(passage|excerpt|text|table above|document|paragraph)s?\b", re.I)

KEPT, NO_QUESTION, REPEATED, NOT_FOUND = "kept", "no question", "repeated", "not found"


@dataclass(frozen=True, slots=True)
class Generator:
    """What questions are written with, and tried with: searching as the settings say, which is as
    the chat does."""

    snapshot: Snapshot
    llm: ChatLLM
    settings: Settings


def write_questions(
    generator: Generator,
    filters: Filters,
    out: Path,
    *,
    n: int,
    seed: int = 42,
    on_asked: Callable[[Counter[str]], None] = lambda tally: None,
) -> Counter[str]:
    """Ask for questions on chunks in a seeded order until ``out`` holds ``n``, or none is left.

    Returns how many of all chunks tried so far, in earlier runs too, were kept, gave no question
    about themselves, repeated one, or a question that does not find its chunk among the settings'
    ``k`` best hits of its filing. ``on_asked`` is told the same at the start and after each chunk.

    Raises:
        LibraryError: the filters admit no filing, or none with a chunk to ask about.
        LLMError: the LLM failed; what was asked before is kept.
        DataError: ``out`` holds something else.
    """
    tried = tried_file(out)
    for path in (out, tried):
        _cut_half_line(path)
    kept, asked = _read(out), {line["chunk_id"]: line["outcome"] for line in _read(tried)}
    # A run may have ended between the two files.
    asked |= {line["chunk_id"]: KEPT for line in kept}
    tally = Counter(asked.values())
    on_asked(tally)
    known = {normalised(line["question"]) for line in kept}
    for filing, chunk in _chunks(generator.snapshot, filters, seed):
        if tally[KEPT] >= n:
            break
        if chunk.node_id in asked:
            continue
        question = _ask(generator.llm, chunk)
        outcome = _judge(generator, filing, chunk, question, known)
        if outcome == KEPT:
            known.add(normalised(question))
            _append(out, _row(filing, chunk, question))
        _append(tried, {"chunk_id": chunk.node_id, "outcome": outcome, "question": question})
        tally[outcome] += 1
        on_asked(tally)
    return tally


def tried_file(out: Path) -> Path:
    """Where what became of each chunk is written."""
    return out.with_name(f"{out.stem}.tried.jsonl")


def question_in(answer: str) -> str:
    """The question in an LLM's answer; ``""`` where there is none to use."""
    before, mark, _ = answer.strip().partition("?")
    lines = before.strip().splitlines()
    if not mark or not lines:
        return ""
    question = _MARKS.sub("", lines[-1]).strip(" \"'“”*") + "?"
    if not MIN_WORDS <= len(question.split()) <= MAX_WORDS or _POINTS_AT_TEXT.search(question):
        return ""
    return question


def _chunks(snapshot: Snapshot, filters: Filters, seed: int) -> Sequence[tuple[Filing, TextNode]]:
    """The indexed chunks that say enough to be asked about, in an order drawn by the seed."""
    snapshot.library.check_filters(filters)
    stored = snapshot.library.filings()
    chunks = [
        (stored[key].filing, chunk)
        for key in snapshot.admitted(filters)
        for chunk in snapshot.library.chunks(key, snapshot.passport.filings[key]).values()
        # Covers, signatures and exhibits stand outside all Items.
        if chunk.metadata["item"] and len(chunk.text.split()) >= MIN_CHUNK_WORDS
    ]
    if not chunks:
        raise LibraryError(
            f"No chunk of {filters} has an Item and {MIN_CHUNK_WORDS} words; see what is indexed "
            "with `python -m rag_app status`."
        )
    random.Random(seed).shuffle(chunks)
    return chunks


def _ask(llm: ChatLLM, chunk: TextNode) -> str:
    from llama_index.core.llms import ChatMessage, MessageRole

    from rag_app.filings.chunks import passage_text

    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=SYSTEM),
        ChatMessage(role=MessageRole.USER, content=f"{passage_text(chunk)}\n\n{ASK}"),
    ]
    answer = ""
    try:
        for piece in llm.stream(messages):
            answer += piece
            # A small model would go on and answer it, or talk on without ever asking.
            if "?" in answer or len(answer) > MAX_CHARACTERS:
                break
    except EmptyAnswer:
        return ""
    return question_in(answer)


def _judge(
    generator: Generator, filing: Filing, chunk: TextNode, question: str, known: set[str]
) -> str:
    from rag_app.filings.chunks import passage_text
    from rag_app.index.retriever import served_retriever

    shared = content_words(question) & content_words(passage_text(chunk))
    if len(shared) < MIN_SHARED_WORDS:
        return NO_QUESTION
    if normalised(question) in known:
        return REPEATED
    own = Filters(
        filing.ticker or filing.cik or filing.company,
        filing.form,
        filing.fiscal_year,
        filing.period_end.isoformat(),
    )
    hits = served_retriever(generator.snapshot, generator.settings, own).retrieve(question)
    return KEPT if chunk.node_id in {hit.node.node_id for hit in hits} else NOT_FOUND


def _row(filing: Filing, chunk: TextNode, question: str) -> dict[str, Any]:
    """A row for ``--data``: its context is the chunk as it is embedded."""
    from rag_app.filings.chunks import passage_text

    return {
        "question": question,
        "answer": "",
        "context": passage_text(chunk),
        "ticker": filing.ticker,
        "filing": f"{filing.fiscal_year}_{filing.form.replace('-', '')}",
        "chunk_id": chunk.node_id,
    }


def _read(path: Path) -> list[dict[str, Any]]:
    lines = read_jsonl(path) if path.exists() else []
    if any("chunk_id" not in line for line in lines):
        raise DataError(f"{path} was not written by `finetune questions`; choose another --out.")
    return lines


def _cut_half_line(path: Path) -> None:
    """Remove the last line where a killed run left half of it."""
    if path.exists():
        whole = path.read_bytes().rpartition(b"\n")
        if whole[2]:
            with path.open("r+b") as file:
                file.truncate(len(whole[0]) + len(whole[1]))


def _append(path: Path, record: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
