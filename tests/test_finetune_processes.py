"""Two processes over gloo train as one process does with the doubled batch."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from tiny_model import build_tiny_model, run, settings, write_rows

from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model

TESTS = Path(__file__).parent
SHORT = {"packs": 1, "pack_tokens": 36, "max_steps": 10, "learning_rate": 5e-4}
"""An epoch of 8 steps and 2 more: 4 batches of pairs, the last of 4, and 4 of 4 packs each."""
QUESTIONS = ["How many tents did Birch ship?", "Elm shipped 41 thousand pianos in the year."]


def test_two_processes_are_one_with_the_doubled_batch(tmp_path: Path) -> None:
    """The negatives of both count, those of packs too; only the leader writes and talks."""
    build_tiny_model(tmp_path)
    write_rows(tmp_path / "rows.csv")
    home = tmp_path / "home"
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent(f"""
            import sys
            sys.path[:0] = [{str(TESTS)!r}, {str(TESTS.parent)!r}]
            from pathlib import Path
            from finetune.pipeline import finetune
            from test_finetune_processes import SHORT
            from tiny_model import settings
            config = settings(Path({str(tmp_path)!r}), batch_size=6, **SHORT)
            tuned = finetune(config, Path({str(home)!r}), "two", say=print)
            print("returned", tuned is not None)
        """)
    )
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(
        [sys.executable, *launch], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]

    run(settings(tmp_path, batch_size=12, **SHORT), home, "one")

    assert [done.stdout.count(f"returned {who}") for who in (True, False)] == [1, 1]
    assert done.stdout.count("Leakage of the split") == 1
    one, two = (
        json.loads((home / "models" / name / "train_config.json").read_text("utf-8"))["run"]
        for name in ("one", "two")
    )
    assert (one["processes"], two["processes"]) == (1, 2)
    losses = [np.array(record["curves"][0]["losses"]) for record in (one, two)]
    assert np.allclose(losses[0], losses[1], atol=1e-3)
    # Vectors rather than weights: a key's bias has no effect, and Adam makes steps of its noise.
    base, alone, together = (
        Embedder(resolve_model(model, home)).encode_documents(QUESTIONS)
        for model in (str(tmp_path / "model"), "one", "two")
    )
    assert np.allclose(alone, together, atol=1e-3)
    assert np.abs(alone - base).max() > 0.01
