"""Refusal: whether the hits are evidence enough to answer from, as calibrated for the model.

A logistic regression over four features of the question and its hits gives the probability that
the filings answer. Its weights are measured for one model (`python -m eval refusal`) and stand in
``refusal.json`` beside that model's weights; a model without them refuses nothing.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llama_index.core.schema import NodeWithScore

from rag_app.chat.prompts import REFUSAL
from rag_app.chat.quotes import best_quotes, quote_lines
from rag_app.companies import companies_of
from rag_app.errors import ModelError
from rag_app.index.models import ModelSpec
from rag_app.index.names import mentions
from rag_app.records import Filters

if TYPE_CHECKING:
    from rag_app.index.embedder import Embedder
    from rag_app.index.snapshot import Snapshot

REFUSAL_FILE = "refusal.json"
MOST_COUNTED = 2
"""Names and years are counted so far: a third absent one says no more than a second."""

_YEAR = re.compile(r"(?<![\d,.$])(?:19|20)\d\d(?![\d,]|\.\d)")
_NAME = re.compile(
    r"(?<!\w)(?:\d[\w-]*[A-Za-z]\w*|[A-Za-z][\w-]*\d\w*|[a-z]*[A-Z][\w+-]*(?:\.[A-Z]\w*)*)",
    re.ASCII,
)
_FIRST_WORD = re.compile(r"(?:^|[.?!:]\s+)[\"“(]*[A-Z][a-z]*\b(?!\d)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against an answer in the hits of a question.

    ``cosine`` is the best of the hits', ``lead`` what it lies above the median of all candidates;
    ``absent_names`` are words written as names, and years, that stand in no passage searched;
    ``later_years`` those behind the last period of the filings searched.
    """

    cosine: float
    lead: float
    absent_names: int
    later_years: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of one model's regression, by field of ``Evidence``, and its threshold."""

    fingerprint: str
    weights: Mapping[str, float]
    intercept: float
    refuse_below: float
    source: str
    """The command and the questions that it was fitted on."""

    def probability(self, evidence: Evidence) -> float:
        """How likely the filings are to answer the question, from 0 to 1."""
        values = dataclasses.asdict(evidence)
        logit = sum(weight * values[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-logit - self.intercept))

    def refuses(self, evidence: Evidence, below: float | None = None) -> bool:
        """Whether the evidence is too weak; ``below`` where another threshold is wanted."""
        return self.probability(evidence) < (self.refuse_below if below is None else below)


def refusal_path(spec: ModelSpec) -> Path:
    """Where a model's calibration stands: beside its weights, or beside its adapter."""
    return (spec.adapter or spec.folder) / REFUSAL_FILE


def load_calibration(spec: ModelSpec) -> Calibration | None:
    """The calibration of a model; None where it has none, or one of other weights.

    Raises:
        ModelError: the file is damaged.
    """
    path = refusal_path(spec)
    if not path.exists():
        return None
    try:
        found = Calibration(**json.loads(path.read_text("utf-8")))
        found.probability(Evidence(0.0, 0.0, 0, 0))
        float(found.refuse_below)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"{path} cannot be read ({type(error).__name__}); write it anew with `python -m eval "
            f"refusal --model {spec.name} --fit --save`, or remove it."
        ) from None
    return found if found.fingerprint == spec.fingerprint else None


def evidence_of(
    question: str, hits: Sequence[NodeWithScore], snapshot: Snapshot, filters: Filters
) -> Evidence:
    """The evidence of hits that a question got from the filings that ``filters`` admit."""
    covers = snapshot.opened.covers
    searched = [covers[key] for key in snapshot.admitted(filters)]
    years = {int(year) for year in _YEAR.findall(question)}
    latest = max((max(f.fiscal_year, f.period_end.year) for f in searched), default=0)
    among = snapshot.admitted_chunks(filters) if filters else None
    said = [*names_in(_without_companies(question, snapshot)), *map(str, sorted(years))]
    absent = [name for name in said if not snapshot.lexical.query(name, 1, among)]
    return Evidence(
        cosine=max((float(hit.node.metadata["cosine"]) for hit in hits), default=0.0),
        lead=max((float(hit.node.metadata["lead"]) for hit in hits), default=0.0),
        absent_names=min(len(absent), MOST_COUNTED),
        later_years=min(sum(year > latest for year in years), MOST_COUNTED),
    )


def names_in(text: str) -> list[str]:
    """Words written as names: with a capital inside a sentence, or of letters and digits.

    >>> names_in("How many Vision Pro headsets and H200 chips did it sell in Q3?")
    ['Vision', 'Pro', 'H200', 'Q3']
    """
    inside = _FIRST_WORD.sub(lambda match: " " * len(match[0]), text)
    found = [match[0] for match in _NAME.finditer(re.sub(r"['’]s?\b", " ", inside))]
    return [name for name in dict.fromkeys(found) if len(name) > 1]


def refusal_answer(
    question: str, hits: Sequence[NodeWithScore], embedder: Embedder, missing: str = ""
) -> str:
    """The refusal, and under it the nearest passages' own words with their markers.

    ``missing`` says which company that is asked about the library lacks.
    """
    lines = quote_lines(best_quotes(question, hits, embedder))
    said = f"{REFUSAL} {missing}" if missing else REFUSAL
    nearest = "The nearest passages, of other companies:" if missing else "The nearest passages:"
    return "\n".join([f"{said} {nearest}\n", *lines]) if lines else said


def _without_companies(question: str, snapshot: Snapshot) -> str:
    """The question with the names of the library's companies blanked out."""
    for mention in mentions(question, companies_of(snapshot.opened.covers.values())):
        width = mention.end - mention.start
        question = question[: mention.start] + " " * width + question[mention.end :]
    return question
