"""Many readers beside one writer: each answer is that of a state which was once published."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from forked import DIM, Library, State, embedder, in_child, open_snapshot, put, read_state
from kills import rebuild

from rag_app.errors import LibraryError
from rag_app.sealed import writer_lock

YEARS = (2021, 2022)


def crowd(folder: Path, readers: int, seconds: float, seed: int) -> dict[str, float]:
    """Read and write side by side; returns how often. Every third write is a plain rebuild.

    Raises:
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    home, sources, board = folder / "home", folder / "sources", Board(folder)
    sources.mkdir(parents=True)
    state = dict.fromkeys(YEARS, 0)
    board.announce(state)
    in_child(lambda: put(home, sources, state))
    board.acknowledge(1)
    until = time.monotonic() + seconds
    pids = []
    for reader in range(readers):
        pid = os.fork()
        if not pid:
            os._exit(_read(home, board, folder / f"read-{reader}", until, seed + reader))
        pids.append(pid)
    published, writes, rebuilds, waited = 1, 0, 0, 0
    try:
        while time.monotonic() < until:
            writes += 1
            if writes % 3 == 0:
                rebuilds += 1
                board.rebuilding.write_text(str(writes))
                waited += in_child(lambda: _written(lambda: rebuild(home, DIM)))
                board.rebuilding.unlink()
                continue
            state = state | {YEARS[writes % 2]: writes}
            board.announce(state)  # said before it can be seen
            published += 1
            waited += in_child(lambda state=state: _written(lambda: put(home, sources, state)))
            board.acknowledge(published)
    finally:
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    said = [json.loads((folder / f"read-{reader}").read_text()) for reader in range(readers)]
    assert codes == [0] * readers, next(one["error"] for one in said if "error" in one)
    return {
        "readers": readers,
        "seconds": seconds,
        "answers": sum(one["answers"] for one in said),
        "fewest of a reader": min(one["answers"] for one in said),
        "begun and ended during one rebuild": sum(one["beside"] for one in said),
        "wrong": 0,  # the first ends the trial
        "writes": writes,
        "rebuilds among them": rebuilds,
        "writes that met another writer": waited,
    }


class Board:
    """What the writer tells the readers: states it is about to publish, and how many it has."""

    def __init__(self, folder: Path) -> None:
        self._states, self._acknowledged = folder / "states.jsonl", folder / "acknowledged"
        self.rebuilding = folder / "rebuilding"

    def announce(self, state: State) -> None:
        """Say a state before it is published."""
        with self._states.open("a") as file:
            file.write(json.dumps(state) + "\n")

    def acknowledge(self, count: int) -> None:
        """Say how many states are published: from now on nobody may see an older one."""
        part = self._acknowledged.with_suffix(".part")
        part.write_text(str(count))
        part.replace(self._acknowledged)

    def states(self) -> list[State]:
        """All that were announced, oldest first."""
        lines = map(json.loads, self._states.read_text().splitlines())
        return [{int(year): revision for year, revision in line.items()} for line in lines]

    def acknowledged(self) -> int:
        """How many are published."""
        return int(self._acknowledged.read_text())

    def now(self) -> str:
        """Which rebuild runs; empty for none."""
        try:
            return self.rebuilding.read_text()
        except FileNotFoundError:
            return ""


def _written(work: Callable[[], None]) -> int:
    """Do it when no other process writes; how often one did."""
    waited = 0
    while True:
        try:
            work()
            return waited
        except LibraryError as error:  # a reader derives what a writer has stored
            if "is writing to" not in str(error):
                raise
            waited += 1
            time.sleep(0.02)


def _read(home: Path, board: Board, said: Path, until: float, seed: int) -> int:
    """Each reader opens the index again and again, and looks twice at each."""
    chance, answers, beside = random.Random(seed), 0, 0
    try:
        while time.monotonic() < until:
            oldest, running = board.acknowledged(), board.now()
            snapshot = open_snapshot(Library(home), embedder(), DIM)
            state = read_state(snapshot)
            beside += bool(running) and running == board.now()
            assert state in board.states()[oldest - 1 :], (state, oldest, board.states()[-3:])
            time.sleep(chance.uniform(0, 0.4))
            assert read_state(snapshot) == state, "an open index changed"
            answers += 2
        said.write_text(json.dumps({"answers": answers, "beside": beside}))
        return 0
    except BaseException as error:
        said.write_text(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return 1


def second_writer(folder: Path) -> float:
    """Seconds until a second writer is told the first one's pid.

    Raises:
        AssertionError: it was not.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        with writer_lock(folder):
            os.write(writing, b"held")
            time.sleep(60)
        os._exit(0)
    os.read(reading, 4)
    began = time.perf_counter()
    try:
        with writer_lock(folder):
            raise AssertionError("two writers")
    except LibraryError as error:
        assert f"pid {pid}" in str(error), error
        return time.perf_counter() - began
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
