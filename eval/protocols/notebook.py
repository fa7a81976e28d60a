"""Protocol notebook: the published notebook's test, one right context a question."""

from __future__ import annotations

from pathlib import Path

from eval.evalset import EvalSet, notebook_evalset
from eval.protocols.choices import Choices
from eval.rows import load_qa_rows


def build_notebook(data: str, home: Path, choices: Choices) -> EvalSet:
    """The notebook's test over question-answer rows.

    Raises:
        DataError: rows that cannot be used.
    """
    return notebook_evalset(load_qa_rows(data, choices.columns))
