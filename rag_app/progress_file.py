"""How far a command is, as a small JSON file for a program that looks on."""

from __future__ import annotations

import dataclasses
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Doing = Literal["fetching", "reading", "encoding", "indexing"]

EVERY_S = 0.2
"""Between two writes of one step; a chunk may take less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a command does now: filings fetched, files read, chunks encoded, or an index built."""

    doing: Doing
    done: int = 0
    total: int | None = None
    """None where nobody knows it yet."""


class ProgressFile:
    """Writes the steps of this process; without a path it does nothing.

    A disk that is full must not end the work that is looked at: failures are silent.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._step: Step | None = None
        self._written_at = 0.0

    def begin(self, doing: Doing, total: int | None = None) -> None:
        """A step begins; the file says so at once."""
        self._step = Step(doing, 0, total)
        self._write()

    def advance(self, count: int = 1) -> None:
        """So much more of the step is done; the file says so a few times a second."""
        if self._step is None:
            return
        self._step = dataclasses.replace(self._step, done=self._step.done + count)
        if time.monotonic() - self._written_at > EVERY_S:
            self._write()

    def _write(self) -> None:
        if self._path is None or self._step is None:
            return
        part = self._path.with_name(f".{self._path.name}.part")
        with suppress(OSError):
            part.write_text(json.dumps(dataclasses.asdict(self._step)), "utf-8")
            part.replace(self._path)
        self._written_at = time.monotonic()


def read_step(path: Path) -> Step | None:
    """The step that stands in a file; none before the first, or where it cannot be read."""
    try:
        return Step(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
