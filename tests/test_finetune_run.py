"""Runs that stop and go on, choose, average, and say what is wrong, with a small real model."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from full_disk import largest_file
from safetensors.numpy import load_file
from tiny_model import THINGS, build_tiny_model, curve_of, run, settings, write_rows

from eval.rows import load_qa_rows
from finetune.checkpoints import check_space
from finetune.curves import CURVE_FILE
from finetune.dev import Judge
from finetune.hardware import Hardware
from finetune.held_out import dev_evalset, split_for
from finetune.pairs import build_pairs
from finetune.pipeline import finetune
from finetune.run import Workplace
from rag_app.errors import TrainingError
from rag_app.index.models import resolve_model

WEIGHT = "encoder.layer.1.attention.self.query.weight"
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has dropout, so that random states matter, and 60 rows of ten lengths."""
    folder = tmp_path_factory.mktemp("material")
    build_tiny_model(folder, dropout=0.1)
    rows = write_rows(folder / "rows.csv")
    text = rows.read_text()
    for number, thing in enumerate(THINGS):
        text = text.replace(f"{thing} did", f"{thing} {'in ' * number}did")
    rows.write_text(text)
    return folder


def run_trace(home: Path) -> dict[str, float]:
    record = json.loads((home / "models/mine/train_config.json").read_text("utf-8"))
    return dict(record["run"])


@pytest.fixture(scope="module")
def whole(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that nothing interrupted."""
    home = tmp_path_factory.mktemp("whole")
    run(settings(material), home, "mine")
    return home


def kill_after(material: Path, home: Path, step: int) -> Path:
    """Start the same run in a process of its own, kill it where a checkpoint stands; its folder."""
    script = f"""
        import sys, time
        sys.path.insert(0, {str(TESTS)!r})
        from pathlib import Path
        from tiny_model import run, settings
        import finetune.trainer as writer
        seal = writer.seal_checkpoint
        def seal_and_wait(folder):
            seal(folder)
            if folder.name == "checkpoint-{step}":
                time.sleep(600)
        writer.seal_checkpoint = seal_and_wait
        run(settings(Path({str(material)!r})), Path({str(home)!r}), "mine")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL
    )
    seed = home / "models" / ".training-mine" / "scratch" / "seed-42"
    deadline = time.monotonic() + 300
    while not (seed / f"checkpoint-{step}" / "whole.json").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return seed


def test_a_killed_run_goes_on_to_the_same_losses(
    material: Path, whole: Path, tmp_path: Path
) -> None:
    seed = kill_after(material, tmp_path, 4)
    newest = max(seed.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    optimizer = newest / "optimizer.pt"
    with optimizer.open("r+b") as file:
        file.truncate(optimizer.stat().st_size // 2)

    with pytest.raises(TrainingError, match="was stopped and can go on: add --resume, or remove"):
        run(settings(material), tmp_path, "mine")
    with pytest.raises(TrainingError, match="differs in batch_size, learning_rate; resume it with"):
        run(settings(material, learning_rate=2e-3, batch_size=4), tmp_path, "mine", resume=True)
    for spent in seed.glob("checkpoint-*/spent.json"):
        told = re.sub(r"[\d.]+", lambda found: "9" * len(found[0]), spent.read_text(), count=1)
        spent.write_text(told)  # as long as before, or the checkpoint would be cut short
    said = run(settings(material), tmp_path, "mine", resume=True)

    cut = int(newest.name.split("-")[1])
    assert f"The checkpoint of step {cut} was cut short and is left out." in said
    assert any(sentence.startswith("Going on from step ") for sentence in said)
    expected, found = curve_of(whole, "mine"), curve_of(tmp_path, "mine")
    assert len(expected.losses) == 10
    assert found.losses == pytest.approx(expected.losses, abs=1e-4)
    assert dict(found.dev) == pytest.approx(dict(expected.dev), abs=1e-4)
    weights = [load_file(home / "models/mine/model.safetensors") for home in (whole, tmp_path)]
    assert np.allclose(weights[0][WEIGHT], weights[1][WEIGHT], atol=1e-4)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["mine"]
    trace = run_trace(tmp_path)
    assert trace["training_s"] > 900, "what it took before it was killed counts too"
    assert trace["padding"] == run_trace(whole)["padding"] > 0


def test_the_best_step_on_dev_is_kept_and_scored_again(whole: Path) -> None:
    curve = curve_of(whole, "mine")
    record = json.loads((whole / "models/mine/train_config.json").read_text("utf-8"))

    assert [step for step, _ in curve.dev] == [0, 5, 10]
    best = max(curve.dev[1:], key=lambda point: point[1])
    assert curve.kept_step == best[0]
    assert record["run"]["dev_score"] == pytest.approx(best[1], abs=1e-6)


def test_an_earlier_step_wins_when_the_last_is_worse(material: Path, tmp_path: Path) -> None:
    """At this learning rate the model falls apart soon."""
    run(settings(material, learning_rate=0.5, evaluations=10), tmp_path, "mine")
    curve = curve_of(tmp_path, "mine")

    scores = dict(curve.dev)
    assert curve.kept_step == max(range(1, 11), key=lambda step: (scores[step], -step))
    assert scores[curve.kept_step] > scores[10]


def test_the_run_is_drawn_and_logged(whole: Path) -> None:
    picture = (whole / "models/mine/curves.png").read_bytes()

    assert picture.startswith(b"\x89PNG")
    (log,) = (whole / "tensorboard/mine").iterdir()
    content = log.read_bytes()
    assert all(name in content for name in (b"loss", b"lr", b"dev/ndcg_10"))
    # Its name is the machine's: it stays out of what may be published.
    assert not list((whole / "models").rglob("*tfevents*"))


def test_stopped_after_training_nothing_is_trained_again(material: Path, tmp_path: Path) -> None:
    said: list[str] = []

    def stop(sentence: str) -> None:
        said.append(sentence)
        if sentence.startswith("Kept step"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(settings(material, epochs=1), tmp_path, "mine", say=stop)
    assert said[-1] == "What was trained of mine is kept; add --resume to go on with it."
    record = tmp_path / "models/.training-mine/scratch/seed-42" / CURVE_FILE
    record.write_text(json.dumps(json.loads(record.read_text()) | {"seconds": 1000}))
    again = run(settings(material, epochs=1), tmp_path, "mine", resume=True)

    assert not any(sentence.startswith("Going on") for sentence in again)
    assert len(curve_of(tmp_path, "mine").losses) == 5
    assert run_trace(tmp_path)["training_s"] >= 1000


def test_a_loss_that_is_no_number_names_the_batch_and_keeps_the_last_step(
    material: Path, tmp_path: Path
) -> None:
    # Warm-up makes the first step one of length 0, so its weights are still good.
    explosive = settings(material, learning_rate=1e30, evaluations=0)

    with pytest.raises(TrainingError) as stopped:
        run(explosive, tmp_path, "mine")

    sentence = str(stopped.value)
    assert 'The loss is nan in step 3, in the batch that begins with "how many' in sentence
    assert "--resume --set max_steps=1" in sentence
    short = settings(material, learning_rate=1e30, evaluations=0, max_steps=1)
    run(short, tmp_path, "mine", resume=True)
    assert len(curve_of(tmp_path, "mine").losses) == 1
    assert run_trace(tmp_path)["padding"] > 0
    assert np.isfinite(load_file(tmp_path / "models/mine/model.safetensors")[WEIGHT]).all()


def test_weights_that_are_no_numbers_are_not_saved(material: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="weights are no longer finite numbers after step 1"):
        run(settings(material, learning_rate=1e39, warmup_share=0.0), tmp_path, "mine")
    assert not list((tmp_path / "models").iterdir())


def test_too_little_memory_says_what_to_lower(material: Path, tmp_path: Path) -> None:
    """A petabyte is asked for in the middle of a run, and the allocator's own error comes back."""
    import torch

    from finetune.train import train

    config = settings(material, evaluations=1)
    split = split_for(load_qa_rows(config.data), config)
    spec = resolve_model(config.base, tmp_path)
    judge = Judge(spec, dev_evalset(split), 128, on_score=lambda *_: torch.empty(1 << 50))
    workplace = Workplace(tmp_path, tmp_path / "logs", Hardware("cpu", bf16=False, tf32=False))

    with pytest.raises(TrainingError, match="too little memory on cpu for this run; lower `batch_"):
        train(spec, build_pairs(split.train), config, workplace, judge=judge)


def test_a_full_disk_says_how_much_is_needed_and_keeps_the_model_before(
    material: Path, whole: Path
) -> None:
    before = (whole / "models/mine/model.safetensors").read_bytes()

    with largest_file(500_000), pytest.raises(TrainingError, match=r"needed and \d+ MB are free"):
        run(settings(material), whole, "second")

    assert (whole / "models/mine/model.safetensors").read_bytes() == before
    assert [path.name for path in (whole / "models").iterdir()] == ["mine"]
    with pytest.raises(TrainingError, match=r"MB left and this run needs 1000000000000 MB"):
        check_space(whole, 10**18)
