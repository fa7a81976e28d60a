"""A search for better settings of a recipe: trials judged on dev, in a study that resumes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from finetune.search import Range, Space, Value, suggest
from rag_app.errors import TrainingError
from rag_app.sealed import write_whole, writer_lock

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

STUDY_FILE = "study.db"
BEST_FILE = "best.toml"
HISTORY_PICTURE = "history.png"
IMPORTANCE_PICTURE = "importance.png"
AGAIN, ABOUT = "again", "about"
"""Names in the study: the killed trial that a trial repeats, and what the study is about."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What a trial does and how it is judged, never on test rows.

    ``about`` is all that is the same in every trial. ``run`` trains with the chosen values, calls
    its second argument with the number of each dev evaluation (0: the untuned base, where that is
    scored) and what it gave, and returns the score of the checkpoint that it would keep.
    """

    metric: str
    direction: Literal["maximize", "minimize"]
    about: dict[str, object]
    run: Callable[[dict[str, Value], Callable[[int, float], None]], float]


@dataclass(frozen=True, slots=True)
class Best:
    """The best trial of a study: its number, dev score and values; ``folder`` is the study's."""

    folder: Path
    metric: str
    number: int
    score: float
    values: dict[str, Value]


def sweep(
    objective: Objective,
    space: Space,
    trials: int,
    folder: Path,
    *,
    seed: int,
    say: Callable[[str], None],
) -> Best:
    """Run trials until the study in ``folder`` has ``trials`` of them; then draw it.

    A study that is there already goes on. A trial that was killed is run again with its values; one
    that falls behind the median of the others is given up early.

    Raises:
        TrainingError: the study there is about something else, or every trial failed.
        LibraryError: another process sweeps into this folder, or it cannot be written.
    """
    with writer_lock(folder):
        study = _open_study(objective, space, folder, seed)
        _repeat_killed(study)
        done = _finished(study)
        if done:
            say(f"{folder} holds {done} of {trials} trials; going on.")

        def run(trial: Trial) -> float:
            return _run(objective, space, trial)

        def tell(study: Study, trial: FrozenTrial) -> None:
            say(_trial_sentence(study, trial, objective.metric))
            _free_memory()

        study.optimize(
            run,
            n_trials=max(0, trials - done),
            catch=(TrainingError,),
            callbacks=[tell],
            gc_after_trial=True,
        )
        best = _best(study, folder, objective.metric)
        lines = [f"{field} = {json.dumps(value)}\n" for field, value in best.values.items()]
        write_whole(folder / BEST_FILE, "".join(lines).encode())
        _draw(study, folder)
    return best


def _run(objective: Objective, space: Space, trial: Trial) -> float:
    from optuna import TrialPruned

    def report(evaluation: int, score: float) -> None:
        trial.report(score, evaluation)
        if trial.should_prune():
            raise TrialPruned

    try:
        return objective.run(suggest(trial, space), report)
    except TrainingError as error:
        trial.set_user_attr("error", str(error))
        raise


def _open_study(objective: Objective, space: Space, folder: Path, seed: int) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / STUDY_FILE).resolve()}",
        study_name=folder.name,
        direction=objective.direction,
        pruner=optuna.pruners.MedianPruner(),
        load_if_exists=True,
    )
    about = json.loads(json.dumps(objective.about | {"search": _space_record(space)}))
    known = study.user_attrs.get(ABOUT, about)
    differing = sorted(key for key in about | known if about.get(key) != known.get(key))
    if differing:
        raise TrainingError(
            f"The study in {folder} differs in {', '.join(differing)}; start another with --out "
            "NAME, or remove that folder."
        )
    study.set_user_attr(ABOUT, about)
    # Seeded by what is there: a study that goes on must not draw its first values again.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study


def _space_record(space: Space) -> dict[str, list[Value]]:
    return {
        field: [values.low, values.high, values.log] if isinstance(values, Range) else list(values)
        for field, values in space.items()
    }


def _repeat_killed(study: Study) -> None:
    """Queue again what a killed run left; whoever calls holds the lock, so nobody else runs it."""
    from optuna.trial import TrialState

    queued = {trial.user_attrs.get(AGAIN) for trial in study.trials}
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        if trial.number not in queued:
            study.enqueue_trial(trial.params, user_attrs={AGAIN: trial.number})
        study.tell(trial.number, state=TrialState.FAIL)


def _finished(study: Study) -> int:
    """Trials that count: a killed one does only through the one that repeats it."""
    repeated = sum(AGAIN in trial.user_attrs for trial in study.trials)
    return sum(trial.state.is_finished() for trial in study.trials) - repeated


def _best(study: Study, folder: Path, metric: str) -> Best:
    try:
        trial = study.best_trial
    except ValueError:
        errors = [t.user_attrs["error"] for t in study.trials if "error" in t.user_attrs]
        raise TrainingError(
            f"No trial of the study in {folder} was finished. The last error: "
            f"{errors[-1] if errors else 'none; all were given up'}"
        ) from None
    assert trial.value is not None  # a best trial has one
    return Best(folder, metric, trial.number, trial.value, dict(trial.params))


def _trial_sentence(study: Study, trial: FrozenTrial, metric: str) -> str:
    from optuna.trial import TrialState

    values = ", ".join(f"{name} {_shown(value)}" for name, value in trial.params.items())
    if trial.state == TrialState.COMPLETE:
        best = study.best_trial
        outcome = f"{metric} {trial.value:.4f}; best {best.value:.4f} in trial {best.number}"
    elif trial.state == TrialState.PRUNED:
        outcome = f"given up after {len(trial.intermediate_values)} dev evaluations"
    else:
        outcome = f"failed: {trial.user_attrs.get('error', '')}"
    return f"Trial {trial.number} ({values}): {outcome}"


def _shown(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _free_memory() -> None:
    """Hand the device's memory back, so that the next trial starts as the first one did."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _draw(study: Study, folder: Path) -> None:
    import matplotlib.pyplot as plt
    from optuna.visualization.matplotlib import plot_optimization_history, plot_param_importances

    plt.switch_backend("Agg")
    with warnings.catch_warnings():
        # Both are marked experimental; and few trials make for equal importances.
        warnings.simplefilter("ignore")
        plot_optimization_history(study)
        plt.savefig(folder / HISTORY_PICTURE, bbox_inches="tight", dpi=150)
        plot_param_importances(study)
        plt.savefig(folder / IMPORTANCE_PICTURE, bbox_inches="tight", dpi=150)
    plt.close("all")
