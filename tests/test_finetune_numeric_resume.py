"""Numeric runs that stop and go on, or say what is wrong; a sweep of them. With a small model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from full_disk import largest_file
from safetensors.numpy import load_file
from tiny_finqa import write_parts
from tiny_model import build_tiny_model

from finetune.__main__ import main
from finetune.hardware import Hardware
from finetune.numeric import finetune_numeric
from finetune.numeric_config import NumericConfig, load_numeric_config
from finetune.numeric_data import load_numeric_data
from rag_app.errors import TrainingError
from rag_app.index.models import resolve_model

if TYPE_CHECKING:
    from torch import Tensor

TESTS = Path(__file__).parent
STEPS = 18
DENSE = "2_Dense/model.safetensors"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that has dropout, so that random states matter, and 24 questions."""
    folder = tmp_path_factory.mktemp("material")
    build_tiny_model(folder, dropout=0.1)
    return write_parts(folder, train=24, dev=6, test=6)


def settings(material: Path, **changes: object) -> NumericConfig:
    """6 epochs of 3 steps, each followed by a checkpoint."""
    given = {
        "base": str(material / "model"),
        "data": str(material),
        "dims": (16, 8),
        "max_tokens": 32,
        "batch_size": 8,
        "epochs": 6,
        "contrastive_weight": 0.5,
        "head_learning_rate": 0.02,
        "learning_rate": 1e-3,
        "checkpoint_minutes": 0.0,
    }
    return load_numeric_config(given | changes)


def run(config: NumericConfig, home: Path, *, resume: bool = False) -> list[str]:
    """Train, and return what was said."""
    said: list[str] = []
    finetune_numeric(config, home, "mine", resume=resume, say=said.append)
    return said


def losses(home: Path) -> list[tuple[float, float]]:
    """Training and dev loss of each epoch."""
    record = json.loads((home / "models/mine/train_config.json").read_text("utf-8"))
    return [(epoch["train_loss"], epoch["dev_loss"]) for epoch in record["run"]["epochs"]]


@pytest.fixture(scope="module")
def whole(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that nothing interrupted."""
    home = tmp_path_factory.mktemp("whole")
    run(settings(material), home)
    return home


def same(home: Path, whole: Path) -> None:
    """The run ended where the one that was not interrupted did."""
    assert len(losses(whole)) == 6
    assert np.allclose(losses(home), losses(whole), atol=1e-4)
    weights = [load_file(one / "models/mine" / DENSE) for one in (home, whole)]
    for name, values in weights[1].items():
        assert np.allclose(weights[0][name], values, atol=1e-4)
    assert [path.name for path in (home / "models").iterdir()] == ["mine"]


def test_a_killed_run_goes_on_to_the_same_losses(
    material: Path, whole: Path, tmp_path: Path
) -> None:
    script = f"""
        import sys, time
        sys.path.insert(0, {str(TESTS)!r})
        from pathlib import Path
        from test_finetune_numeric_resume import run, settings
        import finetune.numeric_checkpoints as writer
        seal = writer.seal_checkpoint
        def seal_and_wait(folder):
            seal(folder)
            if folder.name == "checkpoint-5":
                time.sleep(600)
        writer.seal_checkpoint = seal_and_wait
        run(settings(Path({str(material)!r})), Path({str(tmp_path)!r}))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL
    )
    seed = tmp_path / "models/.training-mine/scratch/seed-42"
    deadline = time.monotonic() + 600
    while not (seed / "checkpoint-5/whole.json").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sealed = [path.parent for path in seed.glob("checkpoint-*/whole.json")]
    newest = max(sealed, key=lambda path: int(path.name.split("-")[1]))
    cut = int(newest.name.split("-")[1])
    assert cut < STEPS
    assert not list(tmp_path.rglob("*.pt")), "no pickle"
    means = newest / "means.safetensors"
    with means.open("r+b") as file:
        file.truncate(means.stat().st_size // 2)

    with pytest.raises(TrainingError, match="was stopped and can go on: add --resume, or remove"):
        run(settings(material), tmp_path)
    with pytest.raises(TrainingError, match="differs in batch_size; resume it with what it began"):
        run(settings(material, batch_size=4), tmp_path, resume=True)
    said = run(settings(material), tmp_path, resume=True)

    assert f"The checkpoint of step {cut} was cut short and is left out." in said
    assert f"Going on from step {cut - 1}." in said
    same(tmp_path, whole)


def test_an_interrupted_run_goes_on_after_the_epoch_that_was_over(
    material: Path, whole: Path, tmp_path: Path
) -> None:
    said: list[str] = []

    def stop(sentence: str) -> None:
        said.append(sentence)
        if sentence.startswith("Epoch 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune_numeric(settings(material), tmp_path, "mine", say=stop)
    assert said[-1] == "What was trained of mine is kept; add --resume to go on with it."
    again = run(settings(material), tmp_path, resume=True)

    assert "Going on from step 12." in again
    assert next(one for one in again if one.startswith("Epoch")).startswith("Epoch 5")
    same(tmp_path, whole)


@contextmanager
def fifth_batch(spoil: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """The loss of the fifth batch of training, the second of epoch 2, comes out spoiled."""
    from finetune.numeric_loss import Learner, Loss

    sound = Learner.loss
    seen: list[int] = []

    def loss(self, part, z, rows) -> Loss:  # type: ignore[no-untyped-def]
        found = sound(self, part, z, rows)
        seen.extend([1] * (len(part.texts) == 24))
        total = spoil(found.total) if len(seen) == 5 else found.total
        return Loss(found.huber, found.contrastive, total)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "loss", loss)
        yield


def test_a_loss_that_is_no_number_names_the_batch_and_keeps_the_last_good_epoch(
    material: Path, whole: Path, tmp_path: Path
) -> None:
    with fifth_batch(lambda loss: loss * float("nan")), pytest.raises(TrainingError) as stopped:
        run(settings(material), tmp_path)
    sentence = str(stopped.value)
    assert "not a finite number in batch 2 of epoch 2 (questions QP/20" in sentence
    # The step after epoch 1 was kept too, but nothing has shown that it was a good one.
    assert "The model as it was after step 3 is kept: add --resume --set max_steps=3" in sentence

    run(settings(material, max_steps=3), tmp_path, resume=True)
    assert np.allclose(losses(tmp_path), losses(whole)[:1], atol=1e-4)


def test_weights_that_are_no_numbers_are_not_saved(material: Path, tmp_path: Path) -> None:
    """A root's slope at 0 is no number, though the loss is one."""
    with (
        fifth_batch(lambda loss: loss + 0 * (0 * loss).sqrt()),
        pytest.raises(TrainingError) as stopped,
    ):
        run(settings(material), tmp_path)
    sentence = str(stopped.value)
    assert "weights are no longer finite numbers after step 5; lower the learning" in sentence
    assert "The model as it was after step 4 is kept" in sentence


def test_too_little_memory_says_what_to_lower(material: Path, tmp_path: Path) -> None:
    """A petabyte is asked for in the middle of a run, and the allocator's own error comes back."""
    import torch

    from finetune.numeric_train import train_numeric

    config = settings(material, epochs=1)
    spec = resolve_model(config.base, tmp_path)
    with pytest.raises(TrainingError, match="too little memory on cpu for this run; lower `batch_"):
        train_numeric(
            spec,
            load_numeric_data(config),
            config,
            Hardware("cpu", bf16=False, tf32=False),
            on_epoch=lambda epoch: torch.empty(1 << 50),  # type: ignore[arg-type, return-value]
        )


def test_a_full_disk_says_how_much_is_needed_and_keeps_the_model_before(
    material: Path, whole: Path
) -> None:
    before = (whole / "models/mine" / DENSE).read_bytes()
    with largest_file(200_000), pytest.raises(TrainingError, match=r"needed and \d+ MB are free"):
        finetune_numeric(settings(material), whole, "second", say=lambda sentence: None)
    assert (whole / "models/mine" / DENSE).read_bytes() == before
    assert [path.name for path in (whole / "models").iterdir()] == ["mine"]


def test_a_sweep_of_two_trials_is_drawn_and_goes_on(
    material: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["sweep", "--recipe", "numeric", "--base", str(material / "model"), "--out", "few"]
    words += ["--data", str(material), "--epochs", "1", "--set", "dims=[16, 8]"]
    words += ["--set", "max_tokens=32", "--set", "batch_size=8"]
    assert main([*words, "--trials", "2"]) == 0
    first = capsys.readouterr()
    assert "dev Huber" in first.out
    # The study is under RAG_HOME, which the tests set.
    folder = tmp_path / "home/sweeps/few"
    for name in ("history.png", "importance.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
        (folder / name).unlink()
    assert main([*words, "--trials", "3"]) == 0
    again = capsys.readouterr()
    assert "holds 2 of 3 trials; going on." in again.err
    assert again.err.count("Trial ") == 1
    assert (folder / "history.png").exists()
