"""Protocol paraphrased: held questions asked of all chunks of a library, and within the company."""

from __future__ import annotations

from pathlib import Path

from eval.evalset import EvalSet
from eval.held import load_held
from eval.protocols.choices import Choices
from eval.protocols.filings import admitted_by_company
from rag_app.library import Library


def build_paraphrased(data: str, home: Path, choices: Choices) -> EvalSet:
    """The questions of a file such as ``tests/retrieval/paraphrased.jsonl`` over the whole library.

    Asked once of every filing and once within the company, as the protocol ``filings`` asks, so
    that the two sets of figures can be held side by side. The year and the form of a line's
    filters serve the gate, which asks as a person does who has chosen them.

    Raises:
        DataError: the file cannot be used (see ``load_held``).
        LibraryError: the library is damaged.
    """
    library = Library(home)
    held = load_held(Path(data).expanduser(), library)
    passages = library.passages()
    groups = {question.id: question.group for question in held}
    return EvalSet(
        name="paraphrased",
        queries={question.id: question.text for question in held},
        corpus=passages,
        qrels={question.id: dict.fromkeys(question.right, 1) for question in held},
        groups=groups,
        admitted=admitted_by_company(library, passages, set(groups.values())),
        one_gold=True,
    )
