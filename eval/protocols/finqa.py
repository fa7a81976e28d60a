"""Protocol finqa: each question asked of the report pages of FinQA's dev and test sets."""

from __future__ import annotations

import hashlib
from pathlib import Path

from eval.duplicates import normalised
from eval.evalset import EvalSet
from eval.finqa import READERS, FinqaExample, load_finqa
from eval.protocols.choices import Choices
from rag_app.errors import DataError

HELD_OUT = ("dev", "test")
"""A file of a folder is read when its name holds one of these."""


def build_finqa(data: str, home: Path, choices: Choices) -> EvalSet:
    """The examples of a file, or of a folder's dev and test files in any of FinQA's forms.

    Raises:
        DataError: nothing of the kind is there, or a file cannot be used.
    """
    path = Path(data).expanduser()
    files = [path]
    if path.is_dir():
        # JSON first: its questions are in the case they were written in.
        files = sorted(
            (file for file in path.iterdir() if _is_held_out(file)),
            key=lambda file: (list(READERS).index(file.suffix.lower()), file.name),
        )
    if not files:
        raise DataError(f"{path} holds no dev or test file of FinQA; download them into it.")
    return finqa_evalset([example for file in files for example in load_finqa(file)])


def finqa_evalset(examples: list[FinqaExample]) -> EvalSet:
    """Question → the page it was asked of; a page is its text and its table.

    The same page, and a question asked of it, may come in several forms: the longest text of a
    page is taken, since some forms hold a part of it, and a question once.
    """
    pages: dict[str, str] = {}
    companies: dict[str, str] = {}
    asked: dict[str, FinqaExample] = {}
    for example in examples:
        pages[example.page] = max(pages.get(example.page, ""), example.page_text, key=len)
        companies[example.page] = companies.get(example.page) or example.company
        words = hashlib.sha256(normalised(example.question).encode()).hexdigest()
        asked.setdefault(f"{example.page}-{words[:8]}", example)
    return EvalSet(
        name="finqa",
        queries={id_: example.question for id_, example in asked.items()},
        corpus=pages,
        qrels={id_: {example.page: 1} for id_, example in asked.items()},
        # Some forms do not say the company: a page then stands for itself.
        groups={id_: companies[row.page] or row.page for id_, row in asked.items()},
    )


def _is_held_out(file: Path) -> bool:
    named = any(part in file.name.lower() for part in HELD_OUT)
    return named and file.suffix.lower() in READERS
