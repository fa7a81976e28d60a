"""Protocol tatqa: each question of TAT-QA asked of all its contexts, a table and its paragraphs."""

from __future__ import annotations

import json
from pathlib import Path

from eval.evalset import EvalSet
from eval.files import read_text
from eval.protocols.choices import Choices
from rag_app.errors import DataError


def build_tatqa(data: str, home: Path, choices: Choices) -> EvalSet:
    """The set of a file in TAT-QA's own JSON (Zhu et al. 2021), such as tatqa_dataset_dev.json.

    For transfer only: nothing of it is trained on. It names no companies; the questions of one
    context go together.

    Raises:
        DataError: there is no such file, or it has another form.
    """
    path = Path(data).expanduser()
    try:
        contexts = json.loads(read_text(path))
        corpus = {context["table"]["uid"]: _text(context) for context in contexts}
        asked = {
            question["uid"]: (str(question["question"]), context["table"]["uid"])
            for context in contexts
            for question in context["questions"]
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{path} is not TAT-QA's JSON (a list of table, paragraphs and questions); download "
            "tatqa_dataset_dev.json."
        ) from None
    if not asked:
        raise DataError(f"{path} holds no questions; download tatqa_dataset_dev.json.")
    return EvalSet(
        name="tatqa",
        queries={id_: text for id_, (text, _) in asked.items()},
        corpus=corpus,
        qrels={id_: {context: 1} for id_, (_, context) in asked.items()},
        groups={id_: context for id_, (_, context) in asked.items()},
    )


def _text(context: dict[str, object]) -> str:
    """Paragraphs in order, then the table, a row a line."""
    paragraphs, table = context["paragraphs"], context["table"]
    assert isinstance(paragraphs, list) and isinstance(table, dict)
    texts = [str(each["text"]) for each in sorted(paragraphs, key=lambda each: each["order"])]
    rows = [" | ".join(map(str, row)) for row in table["table"]]
    return "\n".join([*texts, *rows])
