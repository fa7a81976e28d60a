"""Refusals calibrated: questions that filings answer and that they do not, fitted and judged.

Companies are split in halves: one fits the weights and the threshold, the other is reported.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.files import read_jsonl
from eval.protocols.choices import Choices
from eval.protocols.filings import asked_rows
from eval.rows import check_columns
from eval.statistics import Interval
from eval.stored import AskedEmbedder
from rag_app.chat.refusal import Calibration, Evidence, evidence_of
from rag_app.errors import DataError
from rag_app.index.retriever import served_retriever
from rag_app.index.snapshot import Snapshot
from rag_app.records import Filters
from rag_app.settings import Settings

UNANSWERABLE = "unanswerable"
TUNED_ON = "rows, tuned on"
REFUSED_AT_MOST = 0.05
"""Share of the answerable questions that the threshold may refuse where it is chosen."""
PENALTY = 1.0
SAMPLES = 2000
BINS = 5
Column = NDArray[np.float64]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with the filters that name its filing; ``set`` says where it is from.

    ``kind`` says why the filing does not answer it, where it does not.
    """

    question: str
    filters: Filters
    company: str
    set: str
    kind: str = ""

    @property
    def answerable(self) -> bool:
        """Whether its filing answers it."""
        return self.set != UNANSWERABLE


@dataclass(frozen=True, slots=True)
class Judged:
    """A question and the evidence that it got."""

    posed: Posed
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Told:
    """How well one set of answerable questions is told from the unanswerable ones."""

    set: str
    answerable: int
    unanswerable: int
    auc: Interval
    refused: float
    """Share of the answerable that is refused."""
    caught: float
    """Share of the unanswerable that is refused."""


def read_posed(path: Path, name: str) -> list[Posed]:
    """The questions of a JSON Lines file with ``question``, ``filing`` and perhaps ``filters``.

    Raises:
        DataError: the file cannot be read or lacks fields.
    """
    lines = read_jsonl(path)
    check_columns(str(path), lines, ("question", "filing"))
    found = []
    for line in lines:
        company = str(line["filing"]).partition("_")[0]
        filters = Filters(**line.get("filters", {}))
        kind = str(line.get("kind", ""))
        found.append(Posed(line["question"], filters, company, name, kind))
    return found


def posed_rows(data: str, snapshot: Snapshot, held: Sequence[str]) -> list[Posed]:
    """The verbatim rows of ``data``, each asked of its filing; those tuned on are a set apart.

    Raises:
        DataError: as ``asked_rows``, or the library lacks a filing.
    """
    covers = snapshot.opened.covers.values()
    by_file = {Path(filing.source).stem: filing for filing in covers}
    found = []
    for asked in asked_rows(data, Choices()):
        filing = by_file.get(asked.file)
        if filing is None:
            raise DataError(f"The library lacks {asked.file}; ingest it first.")
        filters = Filters(filing.ticker or filing.company, filing.form, filing.fiscal_year)
        name = "rows" if asked.ticker in held else TUNED_ON
        found.append(Posed(asked.row.question, filters, asked.ticker, name))
    return found


def judge_posed(
    snapshot: Snapshot, settings: Settings, posed: Sequence[Posed], on_asked: Progress
) -> list[Judged]:
    """Retrieve for each question as chat does, and take the evidence.

    Raises:
        LibraryError: the library lacks a filing that is asked of.
    """
    from llama_index.core.schema import QueryBundle

    asked = AskedEmbedder(snapshot.embedder, snapshot.library.home, [p.question for p in posed])
    found = []
    for each in posed:
        vector = asked.encode_queries([each.question])[0].tolist()
        retriever = served_retriever(snapshot, settings, each.filters)
        hits = retriever.retrieve(QueryBundle(each.question, embedding=vector))
        found.append(Judged(each, evidence_of(each.question, hits, snapshot, each.filters)))
        on_asked(1)
    return found


def halves(judged: Sequence[Judged], held: Sequence[str]) -> tuple[list[Judged], list[Judged]]:
    """The questions of every second company, and those of the others.

    Companies go by whether the model is tuned on them, then by how many unanswerable questions
    they have, so that both halves get their share of each.
    """
    counts = Counter(each.posed.company for each in judged if not each.posed.answerable)
    companies = {each.posed.company for each in judged}
    order = sorted(companies, key=lambda who: (who not in held, -counts[who], who))
    first = set(order[::2])
    return (
        [each for each in judged if each.posed.company in first],
        [each for each in judged if each.posed.company not in first],
    )


def fit(judged: Sequence[Judged], fingerprint: str, source: str) -> Calibration:
    """Fit the weights and choose the threshold; the sets of answerable questions weigh the same.

    Probabilities are those of even odds: as many questions asked that are answerable as are not.

    Raises:
        DataError: there are no answerable or no unanswerable questions.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    used = [each for each in judged if each.posed.set != TUNED_ON]
    right = np.array([each.posed.answerable for each in used])
    if right.all() or not right.any():
        raise DataError("Fitting takes answerable and unanswerable questions; give both.")
    names = [field.name for field in dataclasses.fields(Evidence)]
    values = np.array([[getattr(each.evidence, name) for name in names] for each in used])
    scaler = StandardScaler().fit(values)
    weight = set_weights(used)
    model = LogisticRegression(C=PENALTY).fit(
        scaler.transform(values), right, sample_weight=weight * len(used)
    )
    weights = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - weights @ scaler.mean_)
    fitted = Calibration(
        fingerprint=fingerprint,
        weights={name: round(float(w), 4) for name, w in zip(names, weights, strict=True)},
        intercept=round(intercept, 4),
        refuse_below=0.0,
        source=source,
    )
    chances = probabilities(fitted, used)
    below = quantile(chances[right], weight[right], REFUSED_AT_MOST)
    return dataclasses.replace(fitted, refuse_below=round(below, 4))


def probabilities(calibration: Calibration, judged: Iterable[Judged]) -> Column:
    """The probability of an answer, a question each."""
    return np.array([calibration.probability(each.evidence) for each in judged])


def set_weights(judged: Sequence[Judged]) -> Column:
    """Weights of sum 1: half for the unanswerable, the rest shared by the other sets alike."""
    counts = Counter(each.posed.set for each in judged)
    sets = max(1, len(counts) - 1)
    share = {name: 0.5 if name == UNANSWERABLE else 0.5 / sets for name in counts}
    return np.array([share[each.posed.set] / counts[each.posed.set] for each in judged])


def quantile(values: Column, weights: Column, share: float) -> float:
    """The value under which ``share`` of the weight lies."""
    order = np.argsort(values)
    under = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(under, share, side="right")])


def tell(calibration: Calibration, judged: Sequence[Judged], below: float) -> list[Told]:
    """Each set of answerable questions against the unanswerable ones."""
    chances: Mapping[str, Column] = {
        name: probabilities(calibration, [each for each in judged if each.posed.set == name])
        for name in dict.fromkeys(each.posed.set for each in judged)
    }
    unanswerable = chances[UNANSWERABLE]
    return [
        Told(
            set=name,
            answerable=len(answered),
            unanswerable=len(unanswerable),
            auc=auc(answered, unanswerable),
            refused=float(np.mean(answered < below)),
            caught=float(np.mean(unanswerable < below)),
        )
        for name, answered in chances.items()
        if name != UNANSWERABLE
    ]


def auc(higher: Column, lower: Column, seed: int = 0) -> Interval:
    """The chance that one of ``higher`` lies above one of ``lower``, ties counting half.

    The interval is of 2,000 bootstrap samples over the questions of either side.
    """
    above = (higher[:, None] > lower) + 0.5 * (higher[:, None] == lower)
    draws = np.random.default_rng(seed)
    means = [
        above[draws.integers(len(higher), size=len(higher))]
        .mean(axis=0)[draws.integers(len(lower), size=len(lower))]
        .mean()
        for _ in range(SAMPLES)
    ]
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(above.mean()), float(low), float(high))


def reliability(
    calibration: Calibration, judged: Sequence[Judged]
) -> list[tuple[float, float, int]]:
    """By fifths of the probability: its mean, the share answered at even odds, and questions."""
    used = [each for each in judged if each.posed.set != TUNED_ON]
    chances, weight = probabilities(calibration, used), set_weights(used)
    right = np.array([each.posed.answerable for each in used])
    found = []
    for rows in np.array_split(np.argsort(chances), BINS):
        share = weight[rows][right[rows]].sum() / weight[rows].sum()
        mean = np.average(chances[rows], weights=weight[rows])
        found.append((float(mean), float(share), len(rows)))
    return found
