"""When the next request to EDGAR may go: one number in a file that all processes share."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from rag_app.errors import EdgarError

MIN_INTERVAL_S = 0.15
"""Sent so far apart, no more than 8 reach EDGAR in any second, though delays on the way vary."""
LEAST_WAIT_S = 600.0
"""EDGAR blocks for ten minutes, and for longer when it is asked in between."""
LONGEST_WAIT_S = 86_400.0
"""A time further ahead than a day was written by a clock that has been set back since."""
TOLD_WAIT_S = 2.0
"""A longer wait is no queue but follows a refusal, and is said."""


class Pace:
    """Turns for requests, handed out over all processes that name the same file.

    The file holds the Unix time, in seconds, at which the next request may go. A turn moves it
    on by ``MIN_INTERVAL_S``; a refusal moves it ten minutes or more, for every process. When a
    process is killed the kernel drops its lock, and the number that it left stays true.
    """

    def __init__(self, path: Path, on_wait: Callable[[str], None]) -> None:
        """``on_wait`` gets a sentence before each wait that follows a refusal.

        Raises:
            EdgarError: the file cannot be written.
        """
        self._on_wait = on_wait
        self._reason = "EDGAR refused a request from this machine"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise EdgarError(
                f"{path} cannot be written ({error.strerror}); mend its permissions."
            ) from None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def try_acquire(self, name: str = "") -> bool:
        """Sleep until it is this request's turn; the name is the one edgartools calls."""
        now = time.time()
        turn = self._move(lambda free_at: max(free_at, now), MIN_INTERVAL_S)
        if turn - now > TOLD_WAIT_S:
            self._on_wait(
                f"{self._reason}; waiting until {dt.datetime.fromtimestamp(turn):%H:%M:%S} "
                f"({turn - now:.0f} s), then going on."
            )
        time.sleep(max(0.0, turn - time.time()))
        return True

    def refused(self, status: int, retry_after_s: float | None) -> None:
        """Let no process ask before the time that EDGAR named, nor before ten minutes."""
        self._reason = f"EDGAR refuses for now (HTTP {status})"
        wait_s = min(max(retry_after_s or 0.0, LEAST_WAIT_S), LONGEST_WAIT_S)
        until = time.time() + wait_s
        self._move(lambda free_at: max(free_at, until), 0.0)

    def _move(self, turn_at: Callable[[float], float], step_s: float) -> float:
        """Read the number, write the turn made of it plus a step; returns the turn."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            turn = turn_at(self._free_at())
            # Always as many bytes, in one write: a kill leaves the old number or the new.
            os.pwrite(self._file, f"{turn + step_s:020.6f}\n".encode(), 0)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return turn

    def _free_at(self) -> float:
        try:
            free_at = float(os.pread(self._file, 64, 0))
        except ValueError:  # a new file
            return 0.0
        return free_at if free_at < time.time() + 2 * LONGEST_WAIT_S else 0.0
