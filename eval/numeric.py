"""How well numeric answers are predicted: the target's scale, the errors, and two baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.statistics import Difference, paired_difference
from rag_app.errors import DataError

Values = NDArray[np.float64]

HUBER_DELTA = 1.0
"""Deviations beyond which an error counts linearly."""
RIDGE_PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and deviation of the training answers on the scale sign(x)·log(|x| + 1)."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, answers: Sequence[float]) -> Scaling:
        """Measure it on the training answers.

        Raises:
            DataError: fewer than two different answers, which have no deviation.
        """
        logs = signed_log(np.asarray(answers, dtype=np.float64))
        if logs.size < 2 or not np.isfinite(logs).all() or logs.std() == 0:
            raise DataError(
                "The training answers are fewer than two different finite numbers; give more rows."
            )
        return cls(float(logs.mean()), float(logs.std()))

    def scale(self, answers: Sequence[float]) -> Values:
        """Answers to z-scores of their signed logarithm, (n,)."""
        logs = signed_log(np.asarray(answers, dtype=np.float64))
        return np.asarray((logs - self.mean) / self.deviation, dtype=np.float64)

    def unscale(self, z: Values) -> Values:
        """z-scores back to answers: the inverse of ``scale``."""
        logs = np.asarray(z, dtype=np.float64) * self.deviation + self.mean
        return np.asarray(np.sign(logs) * np.expm1(np.abs(logs)), dtype=np.float64)


def signed_log(values: Values) -> Values:
    """sign(x)·log(|x| + 1): answers from ratios to billions, losses too, on one scale."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class NumericScores:
    """Errors of one predictor over the test questions.

    ``mae_z`` and ``huber_z`` are in deviations of the training answers, ``mae_log`` is the mean
    absolute error of sign(x)·log(|x| + 1). ``errors_z`` maps question id → absolute error, so that
    two predictors can be paired.
    """

    mae_z: float
    huber_z: float
    mae_log: float
    errors_z: dict[str, float]


def score_numbers(
    ids: Sequence[str], predicted_z: Values, target_z: Values, scaling: Scaling
) -> NumericScores:
    """Errors of predictions (n,) against targets (n,), both z-scored by ``scaling``.

    Raises:
        DataError: a prediction is not a finite number.
    """
    if not np.isfinite(predicted_z).all():
        raise DataError("A predicted number is not finite; train anew with a lower learning rate.")
    errors = np.abs(predicted_z - target_z)
    return NumericScores(
        mae_z=float(errors.mean()),
        huber_z=huber(predicted_z, target_z),
        mae_log=float(errors.mean() * scaling.deviation),
        errors_z=dict(zip(ids, errors.tolist(), strict=True)),
    )


def huber(predicted: Values, target: Values) -> float:
    """Mean Huber loss at ``HUBER_DELTA`` (Huber 1964): half the square, linear beyond it."""
    errors = np.abs(predicted - target)
    inside = np.minimum(errors, HUBER_DELTA)
    return float((0.5 * inside**2 + HUBER_DELTA * (errors - inside)).mean())


def error_difference(
    base: NumericScores, tuned: NumericScores, pages: Mapping[str, str]
) -> Difference:
    """Absolute error of ``tuned`` minus ``base`` in deviations: below zero, tuned is nearer.

    The interval is a bootstrap over pages: the questions of one page share its figures.
    ``pages`` maps question id → page.
    """
    return paired_difference(base.errors_z, tuned.errors_z, pages)


def mean_predictions(train_z: Values, count: int) -> Values:
    """The first baseline: the training mean for every question, (count,)."""
    return np.full(count, train_z.mean(), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Ridge:
    """The second baseline: linear regression with an L2 penalty on frozen embeddings."""

    weights: Values
    centre: Values
    intercept: float
    penalty: float

    @classmethod
    def fit(
        cls, train: NDArray[np.float32], train_z: Values, dev: NDArray[np.float32], dev_z: Values
    ) -> Ridge:
        """Solve it on (n, d) ``train`` for each of ``RIDGE_PENALTIES``; dev's Huber loss chooses.

        Source: Hoerl and Kennard 1970. The intercept is not penalised.
        """
        centre = train.mean(axis=0, dtype=np.float64)
        centred = train.astype(np.float64) - centre
        gram, moments = centred.T @ centred, centred.T @ (train_z - train_z.mean())
        fits = [
            cls(
                np.linalg.solve(gram + penalty * np.eye(len(gram)), moments),
                centre,
                float(train_z.mean()),
                penalty,
            )
            for penalty in RIDGE_PENALTIES
        ]
        return min(fits, key=lambda fit: huber(fit.predict(dev), dev_z))

    def predict(self, vectors: NDArray[np.float32]) -> Values:
        """z-scores (n,) of (n, d) embeddings."""
        centred = vectors.astype(np.float64) - self.centre
        return np.asarray(centred @ self.weights + self.intercept, dtype=np.float64)
