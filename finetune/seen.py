"""What a model was trained on, as companies and hashes, and which test questions it has seen."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eval.duplicates import normalised
from eval.evalset import EvalSet
from eval.rows import QaRow
from eval.splits import company_of
from finetune.model_folder import CONFIG_FILE
from rag_app.errors import TrainingError
from rag_app.index.models import ModelSpec

SEEN_FILE = "seen.json"
"""In a model's folder, and in an adapter's. It stays on this machine when a model is pushed."""
MARK_CHARACTERS = 10
"""Of a hash: against 10,000 texts, one question in a hundred million is taken for one of them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The companies of the rows that a model was trained and chosen on, and marks of their texts.

    ``known`` is False where this is not all of it: a model was trained before it was recorded.
    """

    companies: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    known: bool = True

    @classmethod
    def of(cls, rows: Iterable[QaRow]) -> Seen:
        """What a model sees that is trained or chosen on these rows."""
        companies: set[str] = set()
        texts: set[str] = set()
        for row in rows:
            companies.add(company_of(row))
            texts |= _marks(row.question, company_of(row), [row.context])
        return cls(frozenset(companies - {""}), frozenset(texts))

    def joined(self, other: Seen) -> Seen:
        """What a model has seen that was trained on one after the other."""
        return Seen(
            self.companies | other.companies, self.texts | other.texts, self.known and other.known
        )


@dataclass(frozen=True, slots=True)
class Exam:
    """The test questions of a run: query id → company, and → marks of it and of its passages.

    ``by_company``: whoever was trained on a question's company has seen it, whatever the question.
    """

    groups: Mapping[str, str]
    marks: Mapping[str, frozenset[str]]
    by_company: bool

    @classmethod
    def of(cls, evalset: EvalSet, *, by_company: bool) -> Exam:
        """The questions of a set with all of their right passages."""
        marks = {
            id_: _marks(text, evalset.groups[id_], [evalset.corpus[p] for p in evalset.qrels[id_]])
            for id_, text in evalset.queries.items()
        }
        return cls(evalset.groups, marks, by_company)

    def known_to(self, seen: Seen) -> frozenset[str]:
        """The questions that a model has seen, by their company, their words or their passage."""
        companies = seen.companies if self.by_company else frozenset()
        return frozenset(
            id_
            for id_, marks in self.marks.items()
            if self.groups[id_] in companies or marks & seen.texts
        )


@dataclass(frozen=True, slots=True)
class Record:
    """What stands beside a trained model."""

    seen: Seen
    exam: Exam


def write_record(folder: Path, record: Record) -> None:
    """Leave beside a model what it has seen and what it was tested on."""
    text = json.dumps(dataclasses.asdict(record), default=sorted)
    (folder / SEEN_FILE).write_text(f"{text}\n", "utf-8")


def record_of(folder: Path) -> Record | None:
    """What stands beside a model; None where nothing does.

    Raises:
        TrainingError: it is damaged.
    """
    path = folder / SEEN_FILE
    try:
        return TypeAdapter(Record).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise TrainingError(
            f"{path}, which says what the model was trained on, cannot be read "
            f"({type(error).__name__}); restore it, or train the model again."
        ) from None


def seen_by(spec: ModelSpec) -> Seen:
    """What is recorded of a model; one that was not trained here has seen nothing of ours.

    Raises:
        TrainingError: the record is damaged.
    """
    record = record_of(spec.adapter or spec.folder)
    if record:
        return record.seen
    return Seen(known=spec.adapter is None and not (spec.folder / CONFIG_FILE).exists())


def _marks(question: str, company: str, passages: Iterable[str]) -> frozenset[str]:
    """Hashes of a question, which is another's if asked of another company, and of its passages."""
    asked, said = normalised(question), {normalised(passage) for passage in passages} - {""}
    texts = [*([f"{company}?{asked}"] if asked else []), *said]
    return frozenset(hashlib.sha256(text.encode()).hexdigest()[:MARK_CHARACTERS] for text in texts)
