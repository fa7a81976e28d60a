"""Many readers beside one writer: each answer is that of a state which was once published."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

from forked import (
    DIM,
    HashedEmbedder,
    Library,
    State,
    in_child,
    open_snapshot,
    put,
    read_state,
)

from rag_app.errors import LibraryError
from rag_app.sealed import writer_lock

YEARS = (2021, 2022)


def crowd(folder: Path, readers: int, seconds: float, seed: int) -> dict[str, int]:
    """Read and write side by side; returns how often. Each reader looks twice at each snapshot.

    Raises:
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    home, sources, log = folder / "home", folder / "sources", folder / "states.jsonl"
    sources.mkdir(parents=True)
    state = dict.fromkeys(YEARS, 0)
    log.write_text(json.dumps(state) + "\n")
    in_child(lambda: put(home, sources, state))
    until = time.monotonic() + seconds
    pids = []
    for reader in range(readers):
        pid = os.fork()
        if not pid:
            os._exit(_read(home, log, folder / f"read-{reader}", until, seed + reader))
        pids.append(pid)
    writes = refused = 0
    try:
        while time.monotonic() < until:
            writes += 1
            state = state | {YEARS[writes % 2]: writes}
            with log.open("a") as file:  # said before it can be seen
                file.write(json.dumps(state) + "\n")
            refused += in_child(lambda state=state: _write(home, sources, state))
    finally:
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    said = [(folder / f"read-{reader}").read_text() for reader in range(readers)]
    assert codes == [0] * readers, next(text for text in said if not text.isdecimal())
    return {
        "readers": readers,
        "answers": sum(map(int, said)),
        "writes": writes,
        "writes that waited": refused,
    }


def _write(home: Path, sources: Path, state: State) -> int:
    """Publish a state; how often another process held the lock."""
    waited = 0
    while True:
        try:
            put(home, sources, state)
            return waited
        except LibraryError as error:  # a reader derives what a writer has stored
            if "is writing to" not in str(error):
                raise
            waited += 1
            time.sleep(0.02)


def _read(home: Path, log: Path, said: Path, until: float, seed: int) -> int:
    chance, answers = random.Random(seed), 0
    try:
        while time.monotonic() < until:
            snapshot = open_snapshot(Library(home), HashedEmbedder(), DIM)
            for _ in range(2):
                state = read_state(snapshot)
                published = [json.loads(line) for line in log.read_text().splitlines()]
                states = [{int(year): at for year, at in each.items()} for each in published]
                assert state in states, (state, states[-3:])
                answers += 1
                time.sleep(chance.uniform(0, 0.2))
        said.write_text(str(answers))
        return 0
    except BaseException as error:
        said.write_text(f"{type(error).__name__}: {error}")
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
