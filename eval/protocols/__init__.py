"""The evaluation protocols: how each turns data into questions, passages and right answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from eval.evalset import EvalSet
from eval.protocols.beir import build_beir
from eval.protocols.choices import Choices
from eval.protocols.filings import build_filings
from eval.protocols.finqa import build_finqa
from eval.protocols.grouped import build_grouped
from eval.protocols.notebook import build_notebook
from eval.protocols.paraphrased import build_paraphrased
from eval.protocols.questions import build_questions
from eval.protocols.tatqa import build_tatqa
from rag_app.errors import DataError


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a protocol measures, in a line of help, and how it builds its set.

    ``build`` takes the data (file, folder or hub name), the home folder of the user's library, and
    the choices; ``takes`` are the names of the ``Choices`` that it heeds. ``over_library``: its
    passages are chunks of the library, whose stored vectors serve.
    """

    summary: str
    build: Callable[[str, Path, Choices], EvalSet]
    takes: tuple[str, ...] = ()
    over_library: bool = False


PROTOCOLS = {
    "notebook": Protocol(
        "a tenth of the question-answer rows asked of all rows' contexts, one right each",
        build_notebook,
        takes=("columns",),
    ),
    "grouped": Protocol(
        "all rows asked of all contexts, duplicates being one answer; --fold for a fold of it",
        build_grouped,
        takes=("fold", "columns"),
    ),
    "filings": Protocol(
        "question-answer rows asked of all chunks of the whole filings in your library",
        build_filings,
        takes=("companies", "corpus", "overlap", "stock", "columns"),
        over_library=True,
    ),
    "questions": Protocol(
        "questions with gold passages (JSONL) asked of all chunks of your library",
        build_questions,
        over_library=True,
    ),
    "paraphrased": Protocol(
        "held questions (JSONL), which share few words with their golds, asked of your library",
        build_paraphrased,
        over_library=True,
    ),
    "finqa": Protocol(
        "FinQA's questions (a folder of its dev and test files) asked of all report pages",
        build_finqa,
    ),
    "tatqa": Protocol("TAT-QA's questions (its JSON) asked of all its contexts", build_tatqa),
    "beir": Protocol("a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv", build_beir),
}


def find_protocol(name: str) -> Protocol:
    """The protocol of a name.

    Raises:
        DataError: there is none; the known ones are listed.
    """
    if name not in PROTOCOLS:
        raise DataError(f"There is no protocol {name}; known are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]


def build_evalset(protocol: str, data: str, home: Path, choices: Choices = Choices()) -> EvalSet:  # noqa: B008 - frozen
    """Build the evaluation set of a protocol.

    Raises:
        DataError: no such protocol (the known ones are listed), a choice that it has no use for,
            or data that does not fit it.
        LibraryError: the protocol needs the library and there is none.
    """
    found = find_protocol(protocol)
    for field in fields(choices):
        chosen = getattr(choices, field.name) != field.default
        if chosen and field.name not in found.takes:
            users = [name for name, row in PROTOCOLS.items() if field.name in row.takes]
            flag = "-...-column" if field.name == "columns" else field.name
            raise DataError(
                f"--{flag} says nothing to the protocol {protocol}; leave it out, or use "
                f"it with {' or '.join(users)}."
            )
    return found.build(data, home, choices)
