"""Snapshots that all sessions share, by index and state of the library; stale ones are let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag_app.index.serving import may_answer
from rag_app.index.snapshot import Snapshot
from rag_app.sealed import current

MAX_OPEN_SNAPSHOTS = 8
Versions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot as it was opened."""

    snapshot: Snapshot
    notes: tuple[str, ...]
    """What was said of it when it was opened."""
    at: float
    """By the monotonic clock."""


@dataclass(frozen=True, slots=True)
class OpenSnapshots:
    """Open snapshots by index root, sealed folder and library versions.

    ``opening`` makes the second of two sessions wait that want one opened, which may take the
    encoder minutes; who asks of one that is open needs ``lock`` alone.
    """

    opening: threading.Lock = field(default_factory=threading.Lock)
    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshots: dict[tuple[Path, Path | None, Versions], Kept] = field(default_factory=dict)

    def find(self, root: Path, versions: Mapping[str, str]) -> Kept | None:
        """The one that still answers; what does not is let go, for it holds its files on the
        disk, perhaps those of a deleted filing.
        """
        about, now = tuple(versions.items()), time.monotonic()
        with self.lock:
            for key, kept in list(self.snapshots.items()):
                if key[1:] != (current(key[0]), about) or not may_answer(
                    kept.snapshot, versions, now - kept.at
                ):
                    del self.snapshots[key]
            return self.snapshots.get((root, current(root), about))

    def keep(self, root: Path, versions: Mapping[str, str], fresh: Kept) -> None:
        """Keep one that was just opened, and no more than ``MAX_OPEN_SNAPSHOTS``."""
        with self.lock:
            self.snapshots[(root, fresh.snapshot.folder, tuple(versions.items()))] = fresh
            if len(self.snapshots) > MAX_OPEN_SNAPSHOTS:
                self.snapshots.pop(next(iter(self.snapshots)))
