"""Disk full at each step, on a small tmpfs; and how much disk many rebuilds take."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forked import (
    DIM,
    SPEC,
    Library,
    in_child,
    index_root,
    put,
    sealed_state,
    states_of,
)
from kills import rebuild, sweep

import rag_app.index.build as building
from rag_app.errors import LibraryError

MEGABYTES = 24
FREE = (0, 40_960, 524_288)
"""Bytes left for each step, from none to nearly enough."""


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """A small file system of its own.

    Raises:
        PermissionError: mounting is not allowed here.
    """
    folder.mkdir(parents=True)
    asked = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise PermissionError(f"no tmpfs can be mounted ({ran.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def disk_full(folder: Path) -> dict[str, int]:
    """Fill the disk before each step; the old index serves, and the message says what is needed.

    Raises:
        PermissionError: as ``tmpfs``.
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    refused = {}
    with tmpfs(folder / "disk") as disk:
        home, sources = disk / "home", folder / "sources"
        sources.mkdir()
        state = {2021: 0, 2022: 0}
        in_child(lambda: put(home, sources, state))
        steps: dict[str, Callable[[], Any]] = {
            "ingest": lambda: put(home, sources, {2022: 7, 2023: 7}),
            "build": lambda: rebuild(home, DIM),
            "swap": lambda: rebuild(home, SPEC.width),
            "build, estimate too low": lambda: underrated(home, DIM),
            "remove, then build": lambda: take_out(home, 2021),
        }
        for name, step in steps.items():
            for free in FREE:
                with ballast(disk, free):
                    said = in_child(lambda step=step: refusal(step))
                    if said:
                        refused[name] = refused.get(name, 0) + 1
                        assert "disk is full" in said and "MB" in said, said
                        assert states_of(in_child(lambda: sealed_state(home))) == state, name
                    in_child(lambda: sweep(home))
                if not said:  # it fitted
                    break
            assert refused.get(name), (name, "never met a full disk")
            in_child(lambda: put(home, sources, {2021: 0, 2022: 0}))
            in_child(lambda: drop(home, 2023))
            assert states_of(in_child(lambda: sealed_state(home))) == state
    return refused


def refusal(step: Callable[[], Any]) -> str:
    """The sentence with which a step fails; empty when it does not."""
    try:
        step()
    except LibraryError as error:
        return str(error)
    return ""


def underrated(home: Path, dim: int) -> None:
    """A build that thinks it needs no space, so that the disk fills up under it."""
    building.PER_CHUNK = building.PER_COORDINATE = building.AT_LEAST = 0
    rebuild(home, dim)


def take_out(home: Path, year: int) -> None:
    """Remove a filing and bring the index up; the removal is undone when that fails."""
    pointer = Library(home).root / f"QPI_10-K_{year}-12-31" / "current"
    said = pointer.read_bytes()
    Library(home).remove(f"QPI_10-K_{year}-12-31")
    try:
        rebuild(home, DIM)
    except LibraryError:
        pointer.write_bytes(said)
        raise


def drop(home: Path, year: int) -> None:
    """Take a filing out if it is there."""
    library = Library(home)
    if f"QPI_10-K_{year}-12-31" in library.versions():
        library.remove(f"QPI_10-K_{year}-12-31")
    rebuild(home, DIM)


@contextmanager
def ballast(disk: Path, free: int) -> Iterator[None]:
    """Fill a disk up to ``free`` bytes."""
    path = disk / "ballast"
    left = os.statvfs(disk)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, left.f_bavail * left.f_frsize - free))
    try:
        yield
    finally:
        path.unlink()


def growth(folder: Path, count: int) -> float:
    """How many times one index's bytes are on disk at most, over ``count`` rebuilds."""
    home, sources = folder / "home", folder / "sources"
    sources.mkdir(parents=True)
    in_child(lambda: put(home, sources, {2021: 0, 2022: 0}))
    root = index_root(home, SPEC, DIM)
    one, most = used(root), 0.0
    for _ in range(count):
        in_child(lambda: rebuild(home, DIM))
        most = max(most, used(root) / one)
    return most


def used(root: Path) -> int:
    """Bytes of the files under a folder."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
