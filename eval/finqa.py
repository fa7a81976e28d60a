"""FinQA questions with their pages and computed answers, from each form they are passed on in."""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.files import read_jsonl, read_text
from eval.finqa_program import Table, run_program
from rag_app.errors import DataError

FORMS = (
    "FinQA's own train.json, dev.json or test.json, its simplified JSON with id and answer, "
    "PIXIU's JSONL with conversations, or the CSV of prompts in a column text"
)


@dataclass(frozen=True, slots=True)
class FinqaExample:
    """A question about one page of a report.

    ``page`` is made from the table's words, so that it is the same in every form of the data (two
    pages with equal tables are one). ``exe_answer`` is what the gold program computes: None for a
    yes or no. ``gold`` are the sentences and table rows that hold the answer, where the form marks
    them; ``evidence`` are the few passages that a retriever hands on, gold among them, where the
    form has them. ``page_text`` is all of the page, except in the CSV form, which has no more than
    evidence and table. ``company`` is a ticker, or ``""`` where the form does not say.
    """

    id: str
    page: str
    company: str
    question: str
    answer_text: str
    exe_answer: float | None
    program: str
    gold: tuple[str, ...]
    evidence: tuple[str, ...]
    table_text: str
    page_text: str


def load_finqa(path: Path) -> list[FinqaExample]:
    """Read FinQA examples from a file, in its order; the form is told from the file itself.

    Raises:
        DataError: no such file, none of the known forms, or a row that lacks something.
    """
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise DataError(f"{path} is no FinQA file; give {FORMS}.")
    examples = []
    for number, (record, example_of) in enumerate(read(path)):
        try:
            examples.append(example_of(record, number))
        except DataError as error:
            raise DataError(f"Row {number} of {path}: {error}") from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, SyntaxError) as error:
            raise DataError(
                f"Row {number} of {path} is no FinQA example ({type(error).__name__}: {error}); "
                f"give {FORMS}."
            ) from None
    if not examples:
        raise DataError(f"{path} holds no FinQA examples; give {FORMS}.")
    return examples


Record = Mapping[str, Any]
ExampleOf = Callable[[Record, int], FinqaExample]


def _read_json(path: Path) -> Iterable[tuple[Record, ExampleOf]]:
    try:
        records = json.loads(read_text(path))
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}); download it anew.") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise DataError(f"{path} is no list of FinQA examples; give {FORMS}.")
    return [(record, _original if "qa" in record else _simplified) for record in records]


def _read_pixiu(path: Path) -> Iterable[tuple[Record, ExampleOf]]:
    return [(record, _pixiu) for record in read_jsonl(path)]


def _read_prompts(path: Path) -> Iterable[tuple[Record, ExampleOf]]:
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        return [
            (record | {"file": path.name.removesuffix(path.suffix)}, _prompt) for record in reader
        ]
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file ({error}); download it anew.") from None


READERS: dict[str, Callable[[Path], Iterable[tuple[Record, ExampleOf]]]] = {
    ".json": _read_json,
    ".jsonl": _read_pixiu,
    ".csv": _read_prompts,
}
"""File ending → reader, which pairs each record with the way to understand it."""


def _original(record: Record, number: int) -> FinqaExample:
    """FinQA's own release. Its private test has no ``exe_ans``, nor a program."""
    qa = record["qa"]
    table: Table = record["table"]
    gold = tuple(map(str, (qa.get("gold_inds") or {}).values()))
    handed_on = [str(passage) for _, passage in qa.get("model_input") or ()]
    program = str(qa.get("program") or "")
    computed = qa.get("exe_ans")
    if computed is None and program:
        computed = run_program(program, table)
    return FinqaExample(
        id=str(record["id"]),
        page=page_key(table),
        company=str(record["id"]).split("/")[0],
        question=str(qa["question"]),
        answer_text=str(qa.get("answer") or ""),
        exe_answer=_as_number(computed),
        program=program,
        gold=gold,
        # Some of what its retriever handed on lacks gold: the gold then comes after it.
        evidence=tuple(dict.fromkeys([*handed_on, *gold])),
        table_text=_table_text(table),
        page_text=_page_text(record["pre_text"], table, record["post_text"]),
    )


def _simplified(record: Record, number: int) -> FinqaExample:
    """Question, answer and program beside the page, without the gold's marks."""
    table: Table = record["table"]
    return FinqaExample(
        id=str(record["id"]),
        page=page_key(table),
        company=str(record["id"]).split("/")[0],
        question=str(record["question"]),
        answer_text=str(record["answer"]),
        exe_answer=_as_number(record["answer"]),
        program=str(record["program"]),
        gold=(),
        evidence=(),
        table_text=_table_text(table),
        page_text=_page_text(record["pre_text"], table, record["post_text"]),
    )


def _pixiu(record: Record, number: int) -> FinqaExample:
    """PIXIU's chat form: instruction, whole page and question in one text."""
    asked, answered = (str(turn["value"]) for turn in record["conversations"])
    before, asked_sign, rest = asked.rpartition("\nQuestion: ")
    _, context_sign, page_text = before.partition("\nContext: ")
    if not asked_sign or not context_sign:
        raise DataError("it has no `Context:` and `Question:`; download the file anew.")
    lines = page_text.split("\n")
    table = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return FinqaExample(
        id=str(record["id"]),
        page=page_key(table),
        company="",
        question=rest.removesuffix("\nAnswer:").strip(),
        answer_text=answered,
        exe_answer=_as_number(answered),
        program="",
        gold=(),
        evidence=(),
        table_text=_table_text(table),
        page_text="\n".join(line.strip("|").replace("|", " | ") for line in lines),
    )


_PROMPT = re.compile(
    r"Contexts:\n(?P<passages>.*?)\n\s*Table: (?P<table>\[.*?\])\s*\n\s*Possible Operations:.*"
    r"\n\s*Question: (?P<question>.*?)\s*\n\s*Output: (?P<program>.*?)\s*</s>",
    re.DOTALL,
)


def _prompt(record: Record, number: int) -> FinqaExample:
    """CBR-FinQA's prompts: the passages handed on, the table, the question and the program."""
    found = _PROMPT.search(str(record["text"]))
    if found is None:
        raise DataError("its prompt has not the known layout; download the file anew.")
    table: Table = ast.literal_eval(found["table"])
    passages = tuple(line.strip() for line in found["passages"].split("\n") if line.strip())
    computed = run_program(found["program"], table)
    return FinqaExample(
        id=f"{record['file']}-{number}",
        page=page_key(table),
        company="",
        question=found["question"],
        answer_text=str(computed),
        exe_answer=_as_number(computed),
        program=found["program"],
        gold=(),
        evidence=passages,
        table_text=_table_text(table),
        page_text="\n".join((*passages, _table_text(table))),
    )


def page_key(table: Table) -> str:
    """Hash of a table's letters and digits: the same page in every form of the data."""
    words = re.findall(r"[^\W_]+", " ".join(cell for row in table for cell in row).lower())
    if not words:
        raise DataError("its table is empty, so its page has no name; leave it out.")
    return hashlib.sha256("".join(words).encode()).hexdigest()[:16]


def _as_number(answer: object) -> float | None:
    """The answer as a number; None where it is no number: yes, no, or not given."""
    try:
        return float(str(answer))
    except ValueError:
        return None


def _table_text(table: Table) -> str:
    return "\n".join(" | ".join(row) for row in table)


def _page_text(before: Sequence[str], table: Table, after: Sequence[str]) -> str:
    """Sentences, a row of the table a line, sentences; lone dots are leavings of the layout."""
    sides = (" ".join(text for text in side if re.search(r"\w", text)) for side in (before, after))
    above, below = sides
    return "\n".join(part for part in (above, _table_text(table), below) if part)
