"""What a training run was made of: code, versions, data, hardware, losses."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from eval.report import now, package_versions
from eval.rows import QaRow
from eval.splits import Split
from finetune.curves import Curve
from finetune.pairs import Pairs

UNKNOWN_REVISION = "unknown"


def training_versions() -> dict[str, str]:
    """Versions of what training and scoring depend on."""
    return package_versions() | {name: version(name) for name in ("datasets", "accelerate", "peft")}


def rows_sha256(rows: Sequence[QaRow]) -> str:
    """Hash of the rows as read, in order: equal for a CSV and a hub data set with equal rows."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(asdict(row), sort_keys=True).encode())
    return digest.hexdigest()


def git_revision(folder: Path = Path(__file__).parent) -> str:
    """The commit of the code, with ``-dirty`` where it was changed; ``unknown`` outside git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN_REVISION
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class DataTrace:
    """How the rows were split, their counts, and the sha256 of all rows and of each part.

    ``train_rows`` and their hash count the feedback, which is in no row of the data.
    """

    split: str
    rows: int
    train_rows: int
    dev_rows: int
    test_rows: int
    pairs: int
    dropped: int
    merged: int
    data_sha256: str
    train_sha256: str
    dev_sha256: str
    test_sha256: str
    feedback_rows: int = 0
    feedback_repeats: int = 0


def trace_data(
    rows: Sequence[QaRow], split: Split, pairs: Pairs, feedback_rows: int = 0
) -> DataTrace:
    """Count and hash what a run is trained and judged on; the split holds the feedback too."""
    return DataTrace(
        split=split.name,
        rows=len(rows),
        train_rows=len(split.train),
        dev_rows=len(split.dev),
        test_rows=len(split.test),
        pairs=len(pairs.dataset),
        dropped=pairs.dropped,
        merged=pairs.merged,
        data_sha256=rows_sha256(rows),
        train_sha256=rows_sha256(split.train),
        dev_sha256=rows_sha256(split.dev),
        test_sha256=rows_sha256(split.test),
        feedback_rows=feedback_rows,
        feedback_repeats=pairs.repeats,
    )


@dataclass(frozen=True, slots=True)
class RunTrace:
    """What the resolved config does not say.

    ``encoder`` is what scored base and tuned model. ``padding`` is the share of the tokens computed
    that was padding; ``dev_score`` that of the kept weights, reloaded, at ``served_dim``
    dimensions; None where no dev rows were asked for.
    """

    base_fingerprint: str
    dims: tuple[int, ...]
    query_prompt: str
    document_prompt: str
    data: DataTrace
    device: str
    precision: str
    processes: int
    encoder: str
    training_s: float
    padding: float
    curves: tuple[Curve, ...]
    dev_score: float | None
    git_revision: str = field(default_factory=git_revision)
    versions: dict[str, str] = field(default_factory=training_versions)
    finished: str = field(default_factory=now)
