"""Reports: what one model scored on one evaluation set, kept as files."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eval.evalset import Run
from eval.files import prepare_out, read_jsonl, read_text
from eval.runs import read_run, write_run
from rag_app.errors import DataError
from rag_app.sealed import write_whole

FORMAT = 2
"""1 had a line a query and dimension, and no rankings; it is read still."""

Scores = dict[str, dict[str, dict[str, float]]]
"""System → metric → query id → value; ``eval/systems.py`` says how systems are named."""


def package_versions() -> dict[str, str]:
    """Versions of what a score depends on, Python among them."""
    packages = ("torch", "sentence-transformers", "transformers", "numpy", "ir-measures")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Report:
    """What one model scored on one evaluation set.

    ``metrics["128"]["ndcg@10"]`` is a mean over queries, ``per_query["128"]["ndcg@10"]["7"]`` one
    query's value; beside the model's dimensions stand its baselines (``eval/systems.py``).
    ``groups`` maps query id → company ticker, ``gold`` → the right passages; ``timings_s`` are
    seconds. ``goldless`` questions have no right passage in the corpus, and count as missed.
    ``fold`` is ``2/5`` where the set is a part of the one whose hash is ``whole_sha256``.
    ``runs`` maps system → its ranking; ``load_report`` leaves it empty (see ``load_run``).
    """

    model: str
    fingerprint: str
    protocol: str
    evalset_sha256: str
    queries: int
    corpus: int
    metrics: dict[str, dict[str, float]]
    per_query: Scores
    groups: dict[str, str]
    timings_s: dict[str, float]
    goldless: int = 0
    fold: str = ""
    whole_sha256: str = ""
    gold: dict[str, tuple[str, ...]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict, compare=False, repr=False)
    versions: dict[str, str] = field(default_factory=package_versions)
    created: str = field(default_factory=now)


def report_record(report: Report) -> dict[str, Any]:
    """The report as ``report.json`` holds it, without what stands in the files beside it."""
    record = {name: value for name, value in asdict(report).items() if name not in _BESIDE}
    return {"format": FORMAT} | record


def save_report(report: Report, path: Path) -> None:
    """Write ``path`` and beside it ``<stem>.queries.jsonl`` and ``<stem>.runs/``, each file whole.

    The first of these has the scores of each query, rounded to 4 decimals (means are not); the
    report names it with its hash, so that a new file beside an old report is noticed. The second
    has the rankings, one file a system (see ``eval/runs.py``).

    Raises:
        DataError: the files cannot be written.
        LibraryError: the disk is full.
    """
    lines = [
        {
            "query": query_id,
            "group": group,
            "gold": list(report.gold.get(query_id, ())),
            "scores": {
                system: {name: round(values[query_id], 4) for name, values in scores.items()}
                for system, scores in report.per_query.items()
            },
        }
        for query_id, group in report.groups.items()
    ]
    queries_path = path.with_name(f"{path.stem}.queries.jsonl")
    content = "".join(f"{json.dumps(line)}\n" for line in lines)
    runs = {system: _run_name(path, system) for system in report.runs}
    record = report_record(report) | {
        "per_query_file": queries_path.name,
        "per_query_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "run_files": runs,
    }
    prepare_out(path)
    for system, name in runs.items():
        write_run(path.parent / name, report.runs[system], f"{report.model}@{system}")
    write_whole(queries_path, content.encode())
    write_whole(path, f"{json.dumps(record, indent=2)}\n".encode())


def load_report(path: Path) -> Report:
    """Read a report and its per-query scores, of this format or the one before.

    Raises:
        DataError: a file is missing or malformed, or the two were not written together.
    """
    record = _read_record(path)
    try:
        queries_path = path.with_name(record.pop("per_query_file"))
        expected = record.pop("per_query_sha256")
        record.pop("run_files", None)
        record.pop("format", None)
        if hashlib.sha256(read_text(queries_path).encode()).hexdigest() != expected:
            raise DataError(
                f"{queries_path} is not the file that {path} was written with; "
                "run the evaluation again."
            )
        per_query: Scores = defaultdict(lambda: defaultdict(dict))
        groups, gold = {}, {}
        for line in read_jsonl(queries_path):
            query_id = line["query"]
            groups[query_id] = line["group"]
            if "gold" in line:
                gold[query_id] = tuple(line["gold"])
            by_system = line["scores"] if "scores" in line else {str(line["dim"]): line}
            for system, values in by_system.items():
                for name in record["metrics"][system]:
                    per_query[system][name][query_id] = values[name]
        report = Report(
            **record,
            groups=groups,
            gold=gold,
            per_query={system: dict(scores) for system, scores in per_query.items()},
        )
        fits = len(groups) == report.queries and report.metrics.keys() == per_query.keys()
    except (KeyError, TypeError, AttributeError, ValueError):
        fits = False
    if not fits:
        raise _no_report(path)
    return report


def load_run(path: Path, system: str) -> Run | None:
    """The ranking of a system out of the report at ``path``; None where it was kept without.

    Raises:
        DataError: the report or the ranking cannot be read.
    """
    names = _read_record(path).get("run_files") or {}
    return read_run(path.parent / names[system]) if system in names else None


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(read_text(path))
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise _no_report(path)
    return record


def _run_name(path: Path, system: str) -> str:
    return f"{path.stem}.runs/{system.replace('|', '-')}.trec.gz"


def _no_report(path: Path) -> DataError:
    return DataError(f"{path} is not a report of `python -m eval run`; run it again.")


_BESIDE = ("per_query", "groups", "gold", "runs")
