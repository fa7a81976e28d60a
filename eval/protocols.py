"""The evaluation protocols: how each turns data into questions, passages and right answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eval.evalset import EvalSet, library_evalset, notebook_evalset
from eval.rows import load_qa_rows
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a protocol measures, in a line of help, and how it builds its set.

    ``build`` takes the data (file or hub name) and the home folder of the user's library.
    """

    summary: str
    build: Callable[[str, Path], EvalSet]


def _notebook(data: str, home: Path) -> EvalSet:
    return notebook_evalset(load_qa_rows(data))


def _questions(data: str, home: Path) -> EvalSet:
    from rag_app.library import Library

    library = Library(home)
    return library_evalset(Path(data).expanduser(), library.passages(), library.filing_of())


PROTOCOLS = {
    "notebook": Protocol(
        "a tenth of the question-answer rows asked of all rows' contexts, one right each", _notebook
    ),
    "questions": Protocol(
        "questions with gold passages (JSONL) asked of all chunks of your library", _questions
    ),
}


def build_evalset(protocol: str, data: str, home: Path) -> EvalSet:
    """Build the evaluation set of a protocol.

    Raises:
        DataError: no such protocol (the known ones are listed), or data that does not fit it.
        LibraryError: the protocol needs the library and there is none.
    """
    if protocol not in PROTOCOLS:
        raise DataError(f"There is no protocol {protocol}; known are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[protocol].build(data, home)
