"""Numeric answers: the scale and its inverse, errors, and the two baselines."""

from __future__ import annotations

import numpy as np
import pytest

from eval.numeric import (
    NumericScores,
    Ridge,
    Scaling,
    error_difference,
    huber,
    mean_predictions,
    score_numbers,
)
from rag_app.errors import DataError

ANSWERS = [0.25, -3.5, 0.0, 4.6e10, -900_842.5]


def test_scaling_is_undone_exactly() -> None:
    scaling = Scaling.of(ANSWERS)
    z = scaling.scale(ANSWERS)

    assert (z.mean(), z.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert scaling.unscale(z) == pytest.approx(ANSWERS, rel=1e-9, abs=1e-9)
    assert scaling.scale([np.e - 1])[0] * scaling.deviation + scaling.mean == pytest.approx(1)


@pytest.mark.parametrize("answers", [[], [3.0], [2.0, 2.0], [1.0, float("inf")]])
def test_answers_without_a_deviation_are_refused(answers: list[float]) -> None:
    with pytest.raises(DataError, match="fewer than two different finite numbers"):
        Scaling.of(answers)


def test_errors_in_both_scales() -> None:
    scaling = Scaling(mean=1.0, deviation=2.0)
    scores = score_numbers(["a", "b"], np.array([0.5, 0.0]), np.array([0.0, 3.0]), scaling)

    assert scores.errors_z == {"a": 0.5, "b": 3.0}
    assert (scores.mae_z, scores.mae_log) == (1.75, 3.5)
    assert scores.huber_z == pytest.approx((0.5 * 0.25 + 2.5) / 2)


def test_huber_is_torchs() -> None:
    import torch

    predicted, target = np.linspace(-3, 3, 13), np.zeros(13)
    expected = torch.nn.functional.huber_loss(torch.tensor(predicted), torch.tensor(target))

    assert huber(predicted, target) == pytest.approx(float(expected))


def test_a_prediction_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="A predicted number is not finite"):
        score_numbers(["a"], np.array([np.nan]), np.array([0.0]), Scaling(0, 1))


def test_ridge_is_scikit_learns_at_the_penalty_that_dev_chose() -> None:
    from sklearn.linear_model import Ridge as Reference

    rng = np.random.default_rng(3)
    weights = rng.standard_normal(6)
    vectors = rng.standard_normal((80, 6)).astype(np.float32)
    z = vectors @ weights + 2 + 0.3 * rng.standard_normal(80)

    fit = Ridge.fit(vectors[:40], z[:40], vectors[40:60], z[40:60])
    reference = Reference(alpha=fit.penalty).fit(vectors[:40].astype(np.float64), z[:40])

    assert fit.predict(vectors[60:]) == pytest.approx(reference.predict(vectors[60:]), abs=1e-6)
    mean = mean_predictions(z[:40], 20)
    assert huber(fit.predict(vectors[60:]), z[60:]) < huber(mean, z[60:]) / 5


def test_a_difference_is_paired_and_has_an_interval_over_pages() -> None:
    ids = [str(number) for number in range(60)]
    pages = {id_: f"page {int(id_) // 3}" for id_ in ids}
    far = NumericScores(1.0, 1.0, 1.0, {id_: 1.0 + int(id_) / 100 for id_ in ids})
    near = NumericScores(0.5, 0.5, 0.5, {id_: 0.5 + int(id_) / 100 for id_ in ids})

    difference = error_difference(far, near, pages)

    assert difference.mean == pytest.approx(-0.5)
    assert (difference.high < -0.4, difference.clusters) == (True, 20)
