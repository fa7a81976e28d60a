"""Disk full at each step, on a small tmpfs; and how much disk many rebuilds take."""

from __future__ import annotations

import os
import re
import select
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from forked import (
    DIM,
    SPEC,
    fork,
    in_child,
    index_root,
    put,
    sealed_state,
    served_state,
    states_of,
)
from kills import rebuild, remove, sweep

import rag_app.index.build as building
from rag_app.errors import LibraryError

MEGABYTES = 24
FREE = (0, 40_960, 524_288, 2_500_000)
"""Bytes left for each step: from none to enough for a filing, not for an index."""
NEEDED = re.compile(r"\d+\.\d MB are needed")


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


def disk_full(folder: Path, frees: Sequence[int] = FREE) -> dict[str, int]:
    """Fill the disk before each step; the old index serves, and the message says what is needed.

    Raises:
        PermissionError: as ``tmpfs``.
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    refused, swept = Counter[str](), "gc, which needs no space"
    with tmpfs(folder / "disk") as disk:
        home, sources = disk / "home", folder / "sources"
        sources.mkdir()
        state = {2021: 0, 2022: 0}
        in_child(lambda: put(home, sources, state))
        blind = lambda: underrated(home, DIM)  # noqa: E731
        steps: dict[str, Callable[[], Any]] = {
            "ingest": lambda: put(home, sources, {2022: 7, 2023: 7}),
            "build": lambda: rebuild(home, DIM),
            "swap": lambda: rebuild(home, SPEC.width),
            "build, estimate too low": blind,
            "remove": lambda: remove(home, 2021),
        }
        for name, step in steps.items():
            for free in frees:
                with ballast(disk, free):
                    said = in_child(lambda step=step: refusal(step))
                    if said:
                        refused[name] += 1
                        assert "disk is full" in said, said
                        assert NEEDED.search(said) or step is blind, said
                        assert states_of(in_child(lambda: sealed_state(home))) == state, name
                        assert states_of(in_child(lambda: served_state(home))) == state, name
                    in_child(lambda: sweep(home))
                    refused[swept] += 1
                if not said:  # it fitted
                    break
            assert refused[name], (name, "never met a full disk")
            in_child(lambda: remove(home, 2023))
            in_child(lambda: put(home, sources, state))
            assert states_of(in_child(lambda: sealed_state(home))) == state
    return dict(refused)


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


def growth(folder: Path, count: int) -> dict[str, float]:
    """How many times one index's bytes are on disk at most, over ``count`` rebuilds.

    After each rebuild the replaced index still lies there, for readers about to open it. While
    one is written Chroma's queue and the copy without it come on top: looked at as it grows.
    """
    home, sources = folder / "home", folder / "sources"
    sources.mkdir(parents=True)
    in_child(lambda: put(home, sources, {2021: 0, 2022: 0}))
    root = index_root(home, SPEC, DIM)
    one, after, during = used(root), 0.0, 0.0
    for _ in range(count):
        for bytes_now in watched(lambda: rebuild(home, DIM), root):
            during = max(during, bytes_now / one)
        after = max(after, used(root) / one)
    return {"rebuilds": count, "after each, at most": after, "while one is built": during}


def watched(work: Callable[[], Any], root: Path) -> Iterator[int]:
    """The bytes under a folder, again and again while a child works."""
    pid, pipe = fork(work)
    try:
        while not select.select([pipe], [], [], 0.002)[0]:
            yield used(root)
        said = os.read(pipe, 65_536)
    finally:
        os.close(pipe)
        os.waitpid(pid, 0)
    assert b'"result"' in said, said.decode()


def used(root: Path) -> int:
    """Bytes of the files under a folder that may change meanwhile."""
    sizes = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(OSError):
                sizes += (Path(folder) / name).stat().st_size
    return sizes
