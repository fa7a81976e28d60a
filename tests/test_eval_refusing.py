"""Calibration: halves by company, the fit on planted evidence, AUC and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.commands.refusal import report
from eval.refusing import (
    TUNED_ON,
    UNANSWERABLE,
    Judged,
    Posed,
    auc,
    fit,
    halves,
    quantile,
    read_posed,
    reliability,
    set_weights,
    tell,
)
from rag_app.chat.refusal import Evidence
from rag_app.errors import DataError
from rag_app.records import Filters

RETRIEVAL = Path(__file__).parent / "retrieval"


def planted(count: int = 400, seed: int = 0) -> list[Judged]:
    """Questions of 8 companies: the answerable have the higher cosines and lack fewer names."""
    draws = np.random.default_rng(seed)
    found = []
    for number in range(count):
        name = ("easy", "hard", UNANSWERABLE, UNANSWERABLE)[number % 4]
        middle = {"easy": 0.7, "hard": 0.5, UNANSWERABLE: 0.35}[name]
        cosine = float(draws.normal(middle, 0.1))
        absent = int(draws.random() < (0.4 if name == UNANSWERABLE else 0.05))
        company = f"C{draws.integers(8)}"
        posed = Posed("?", Filters(), company, name)
        found.append(Judged(posed, Evidence(cosine, cosine / 2, absent, 0)))
    return found


def test_what_is_planted_is_found_on_the_other_half() -> None:
    first, second = halves(planted(), ("C0", "C1"))
    fitted_on, reported = ({each.posed.company for each in half} for half in (first, second))
    assert not fitted_on & reported
    assert len(fitted_on) == len(reported) == 4
    assert len(fitted_on & {"C0", "C1"}) == 1, "each half has its share of the held companies"
    calibration = fit(first, "print", "planted")
    assert calibration.weights["cosine"] > 0 > calibration.weights["absent_names"]
    told = {each.set: each for each in tell(calibration, second, calibration.refuse_below)}
    easy, hard = told["easy"], told["hard"]
    assert easy.auc.value > 0.97 > hard.auc.value > 0.8
    assert hard.auc.low < hard.auc.value < hard.auc.high
    assert easy.caught == hard.caught > 0.3
    assert (easy.refused + hard.refused) / 2 < 0.12


def test_the_threshold_refuses_a_twentieth_of_what_it_was_chosen_on() -> None:
    judged = planted()
    calibration = fit(judged, "print", "planted")
    sets = tell(calibration, judged, calibration.refuse_below)
    assert 0.03 < np.mean([each.refused for each in sets]) <= 0.051


def test_probabilities_are_reliable_at_even_odds() -> None:
    first, second = halves(planted(2000), ())
    rows = reliability(fit(first, "print", "planted"), second)
    assert sum(count for _, _, count in rows) == len(second)
    assert [mean for mean, _, _ in rows] == sorted(mean for mean, _, _ in rows)
    assert max(abs(mean - share) for mean, share, _ in rows) < 0.15


def test_questions_that_the_model_learnt_from_take_no_part_in_the_fit() -> None:
    judged = planted()
    learnt = [
        Judged(Posed("?", Filters(), "C0", TUNED_ON), Evidence(0.0, 0.0, 2, 2)) for _ in range(99)
    ]
    assert fit([*judged, *learnt], "print", "x") == fit(judged, "print", "x")


def test_auc_counts_ties_half() -> None:
    assert auc(np.array([1.0, 2.0]), np.array([1.0, 0.0])).value == pytest.approx(3.5 / 4)
    assert auc(np.array([0.0]), np.array([1.0])).value == 0.0


def test_weights_of_the_sets() -> None:
    judged = planted(40)
    weights = set_weights(judged)
    assert weights.sum() == pytest.approx(1.0)
    sums = {
        name: sum(w for w, each in zip(weights, judged, strict=True) if each.posed.set == name)
        for name in ("easy", "hard", UNANSWERABLE)
    }
    assert sums == pytest.approx({"easy": 0.25, "hard": 0.25, UNANSWERABLE: 0.5})
    assert quantile(np.array([3.0, 1.0, 2.0]), np.array([0.6, 0.3, 0.1]), 0.35) == 2.0


def test_one_kind_of_questions_cannot_be_fitted() -> None:
    with pytest.raises(DataError, match="give both"):
        fit([each for each in planted() if each.posed.answerable], "print", "x")


def test_the_held_questions_are_read_with_their_filters() -> None:
    posed = read_posed(RETRIEVAL / "unanswerable.jsonl", UNANSWERABLE)
    assert len(posed) >= 149
    assert posed[0].filters == Filters("NVDA", "10-K", 2023)
    assert all(each.filters and each.company and not each.answerable for each in posed)


def test_only_a_fit_of_this_run_is_known_to_leave_the_questions_out() -> None:
    first, second = halves(planted(), ())
    calibration = fit(first, "print", "planted")
    told = [report(calibration, second, "served", fitted=fitted) for fitted in (True, False)]
    sentences = ("None of the questions below was fitted", "Some questions below may have been")
    assert [[said in text for said in sentences] for text in told] == [[True, False], [False, True]]
