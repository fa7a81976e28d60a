"""A gate's baseline: what was once served and how well, one JSON file that a person can read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.files import prepare_out, read_text
from eval.report import Scores, now, package_versions
from eval.served import Built, Measured
from rag_app.errors import DataError
from rag_app.sealed import write_whole

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """Scores to hold, and hashes that say what they were measured on.

    ``corpus`` maps a filing's key → hash of its file, ``queries`` question id → hash of what is
    asked, ``qrels`` → hash of what is right: kept apart, so that the gate can say which changed.
    ``history`` is every update with its reason, oldest first.
    """

    built: Built
    corpus: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, str]
    scores: Scores
    history: tuple[dict[str, str], ...]
    versions: dict[str, str]


def baseline_of(measured: Measured, reason: str, before: Baseline | None) -> Baseline:
    """The baseline that holds what was measured, for a reason."""
    return Baseline(
        built=measured.built,
        corpus=measured.corpus,
        queries={question.id: question.query_sha256 for question in measured.questions},
        qrels={question.id: question.qrel_sha256 for question in measured.questions},
        scores=measured.scores,
        history=(*(before.history if before else ()), {"when": now(), "reason": reason}),
        versions=package_versions(),
    )


def save_baseline(baseline: Baseline, path: Path) -> None:
    """Write a baseline whole, one question a line, so that a diff shows what changed.

    Raises:
        DataError: the file cannot be written.
    """
    prepare_out(path)
    questions = [
        {
            "id": id_,
            "query": query,
            "qrel": baseline.qrels[id_],
            "scores": {
                retriever: {metric: values[id_] for metric, values in scores.items()}
                for retriever, scores in baseline.scores.items()
            },
        }
        for id_, query in baseline.queries.items()
    ]
    record: dict[str, Any] = {
        "format": FORMAT,
        "history": list(baseline.history),
        "built": asdict(baseline.built),
        "versions": baseline.versions,
        "corpus": baseline.corpus,
    }
    head = json.dumps(record, indent=2).removesuffix("\n}")
    lines = ",\n".join(f"    {json.dumps(question)}" for question in questions)
    write_whole(path, f'{head},\n  "questions": [\n{lines}\n  ]\n}}\n'.encode())


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        DataError: there is none at ``path``, or it is of another format or damaged.
    """
    try:
        record = json.loads(read_text(path))
        known = record["format"] == FORMAT
        questions = record["questions"]
        scores: Scores = {
            retriever: {metric: {} for metric in values}
            for retriever, values in questions[0]["scores"].items()
        }
        for question in questions:
            for retriever, metrics in scores.items():
                for metric, values in metrics.items():
                    values[question["id"]] = float(question["scores"][retriever][metric])
        built = record["built"] | {"chunkers": tuple(record["built"]["chunkers"])}
        baseline = Baseline(
            built=Built(**built),
            corpus=dict(record["corpus"]),
            queries={question["id"]: question["query"] for question in questions},
            qrels={question["id"]: question["qrel"] for question in questions},
            scores=scores,
            history=tuple(record["history"]),
            versions=dict(record["versions"]),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        known = False
    if not known:
        raise DataError(
            f"{path} is not a baseline of this version; write it anew with `python -m eval gate "
            "--update --reason TEXT`."
        )
    return baseline
