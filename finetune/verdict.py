"""Two models' reports paired at every dimension, and whether the tuned one may be served."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from statistics import fmean

from eval.report import Report
from eval.statistics import Difference, paired_difference
from finetune.dev import METRIC
from rag_app.errors import DataError

TOLERATED = 0.005
"""How much lower a mean may be though its interval reaches above zero.

With few companies an interval is some .03 wide, so without this limit each of several promotions
could lose a little, unseen, and nothing would stop the sum.
"""
FEW_QUESTIONS = 100
"""Of fewer an interval is so wide that hardly any loss lies outside it."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One dimension of the tuned model beside the serving model's at ``against``."""

    dim: int
    against: int
    serving: float
    tuned: float
    difference: Difference

    @property
    def worse(self) -> bool:
        """The interval lies below zero, or the mean is lower by more than ``TOLERATED``."""
        return self.difference.high < 0 or self.difference.mean < -TOLERATED

    @property
    def _why(self) -> str:
        if self.difference.high < 0:
            return ", worse"
        return f", lower by more than {TOLERATED}" if self.worse else ""

    def __str__(self) -> str:
        gain = self.difference
        wide = "" if self.dim == self.against else f" (serving at {self.against})"
        return (
            f"{self.dim} dimensions{wide}: {METRIC} {self.serving:.4f} → {self.tuned:.4f}, "
            f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
            f"{self._why}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """All dimensions of the tuned model, widest first, and what follows from them.

    ``note`` says what the questions leave open; if they are ``barred``, nothing follows from them.
    """

    serving: str
    tuned: str
    protocol: str
    pairings: tuple[Pairing, ...]
    note: str = ""
    barred: bool = False

    @property
    def promoted(self) -> bool:
        """Not worse at any dimension, on questions that may decide it."""
        return not self.barred and not any(pairing.worse for pairing in self.pairings)

    def __str__(self) -> str:
        """What is served now and why, and a line for each dimension."""
        worse = ", ".join(str(pairing.dim) for pairing in self.pairings if pairing.worse)
        questions = self.pairings[0].difference.queries
        if self.barred:
            outcome = f"{self.serving} goes on being served: {self.note}."
        elif self.promoted:
            outcome = (
                f"{self.tuned} is served from now on: on {questions} held-out questions it is not "
                f"worse than {self.serving} at any dimension."
            )
        else:
            outcome = (
                f"{self.serving} goes on being served: on {questions} held-out questions "
                f"{self.tuned} is worse at {worse} dimensions, so it stays beside it (`--model "
                f"{self.tuned}` asks it all the same). To train on from what is served: --base "
                f"{self.serving}."
            )
        notes = [self.note] if self.note and not self.barred else []
        if questions < FEW_QUESTIONS:
            notes.append(
                f"So few questions ({questions}) cannot decide much: hold out {FEW_QUESTIONS} or "
                "more to be surer: --set 'holdout=[\"TICKER\", …]' names companies."
            )
        return "\n".join([outcome, *notes, *(f"  {pairing}" for pairing in self.pairings)])


def judge(serving: Report, tuned: Report, asked: Collection[str] | None = None) -> Verdict:
    """Pair two reports at every dimension of the tuned model, on all questions or those ``asked``.

    A dimension that the serving model lacks is held against its next wider one, or its widest: the
    tuned one has then to do as well with no more coordinates.

    Raises:
        DataError: the reports are not of the same questions.
    """
    if serving.evalset_sha256 != tuned.evalset_sha256:
        raise DataError(
            f"{serving.model} and {tuned.model} were scored on different questions; score both on "
            "the same ones."
        )
    known = sorted(_dims(serving))
    pairings = []
    for dim in sorted(_dims(tuned), reverse=True):
        against = next((wider for wider in known if wider >= dim), known[-1])
        old, new = (
            {id_: score for id_, score in scores.items() if asked is None or id_ in asked}
            for scores in (
                serving.per_query[str(against)][METRIC],
                tuned.per_query[str(dim)][METRIC],
            )
        )
        pairings.append(
            Pairing(
                dim=dim,
                against=against,
                serving=fmean(old.values()),
                tuned=fmean(new.values()),
                difference=paired_difference(old, new, tuned.groups),
            )
        )
    return Verdict(serving.model, tuned.model, tuned.protocol, tuple(pairings))


def _dims(report: Report) -> list[int]:
    """The dimensions of the model itself; baselines and filtered searches are left out."""
    return [int(system) for system in report.metrics if system.isdigit()]
