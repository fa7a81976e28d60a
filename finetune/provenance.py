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

UNKNOWN_REVISION = "unknown"


def training_versions() -> dict[str, str]:
    """Versions of what training and scoring depend on."""
    return package_versions() | {name: version(name) for name in ("datasets", "accelerate")}


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
    """Row counts, and the sha256 of all rows, the training rows and the test rows."""

    rows: int
    train_rows: int
    test_rows: int
    pairs: int
    dropped: int
    data_sha256: str
    train_sha256: str
    test_sha256: str


@dataclass(frozen=True, slots=True)
class RunTrace:
    """What the resolved config does not say; ``losses`` has one value an optimizer step."""

    base_fingerprint: str
    dims: tuple[int, ...]
    query_prompt: str
    document_prompt: str
    data: DataTrace
    device: str
    precision: str
    training_s: float
    losses: tuple[float, ...]
    git_revision: str = field(default_factory=git_revision)
    versions: dict[str, str] = field(default_factory=training_versions)
    finished: str = field(default_factory=now)
