"""The reports of all folds, each by a model that never saw the fold, as one report."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Mapping, Sequence
from typing import TypeVar

from eval.metrics import means
from eval.report import Report, Scores
from rag_app.errors import DataError

Value = TypeVar("Value")


def join_reports(reports: Sequence[Report]) -> Report:
    """Every question scored once, on the whole set: it pairs with a report of the whole.

    A fold's model is another one in each, so the joined one is called by what their names begin
    with. Systems that a fold lacks are left out.

    Raises:
        DataError: they are not all the folds of one set, each once, or share no system.
    """
    _check_folds(reports)
    first = reports[0]
    systems = [name for name in first.metrics if all(name in one.metrics for one in reports)]
    if not systems:
        raise DataError("The folds share no dimension; run them all with the same --dims.")
    scores: Scores = {
        system: {
            metric: _merged([one.per_query[system][metric] for one in reports])
            for metric in first.metrics[system]
        }
        for system in systems
    }
    fingerprints = sorted({one.fingerprint for one in reports})
    return Report(
        model=_joined_name([one.model for one in reports]),
        fingerprint=fingerprints[0] if len(fingerprints) == 1 else _digest(fingerprints),
        protocol=first.protocol,
        evalset_sha256=first.whole_sha256,
        queries=sum(one.queries for one in reports),
        corpus=first.corpus,
        goldless=sum(one.goldless for one in reports),
        metrics={system: means(values) for system, values in scores.items()},
        per_query=scores,
        groups=_merged([one.groups for one in reports]),
        gold=_merged([one.gold for one in reports]),
        runs={
            system: _merged([one.runs[system] for one in reports])
            for system in systems
            if all(system in one.runs for one in reports)
        },
        timings_s={
            what: round(sum(one.timings_s[what] for one in reports), 3) for what in first.timings_s
        },
    )


def _check_folds(reports: Sequence[Report]) -> None:
    whole = [one.model for one in reports if not one.fold]
    if not reports or whole:
        raise DataError(
            f"{', '.join(whole) or 'Nothing'} is no report of a fold; run `python -m eval run "
            "--protocol grouped --fold K/N` for each fold and give all reports."
        )
    if len({(one.protocol, one.whole_sha256) for one in reports}) > 1:
        raise DataError("The reports are folds of different sets; run all folds on the same data.")
    given = sorted(one.fold for one in reports)
    count = int(given[0].partition("/")[2])
    wanted = sorted(f"{number}/{count}" for number in range(1, count + 1))
    if given != wanted:
        raise DataError(
            f"The reports are of the folds {', '.join(given)}; give one of each of "
            f"{', '.join(wanted)}."
        )


def _merged(parts: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    return {query_id: value for part in parts for query_id, value in part.items()}


def _joined_name(names: Sequence[str]) -> str:
    return os.path.commonprefix(list(names)).rstrip("-_.") or names[0]  # noqa: RUF071 - no paths


def _digest(fingerprints: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(fingerprints).encode()).hexdigest()[:12]
