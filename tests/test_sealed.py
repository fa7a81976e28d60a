"""Whole writes, the atomic pointer, the writer's lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag_app.errors import LibraryError
from rag_app.sealed import current, discard, prune, sealing, write_whole, writer_lock


def test_nothing_sealed_is_none(tmp_path: Path) -> None:
    assert current(tmp_path / "index") is None


def test_a_sealed_directory_becomes_current(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with sealing(tmp_path, name) as folder:
            (folder / "data").write_text(name)
    served = current(tmp_path)
    assert served is not None
    assert (served.name, (served / "data").read_text()) == ("two", "two")


def test_a_failed_build_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    with sealing(tmp_path, "one") as folder:
        (folder / "data").write_text("one")
    with pytest.raises(RuntimeError), sealing(tmp_path, "two") as folder:
        (folder / "data").write_text("half")
        raise RuntimeError("killed")
    served = current(tmp_path)
    assert served is not None
    assert served.name == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "one"]


def test_prune_keeps_the_current_and_the_named(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        with sealing(tmp_path, name):
            pass
    (tmp_path / ".four.part").mkdir()
    prune(tmp_path, {"two"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "three", "two"]


def test_what_could_not_be_removed_is_not_called_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert [discard(path), discard(path), discard(Path("/proc/version"))] == [True, False, False]


def test_write_whole_replaces_or_leaves(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """The kernel refuses the write, as on a full disk: a limit of 1 KB a file."""
    path = tmp_path / "file"
    write_whole(path, b"old")
    script = (
        "import resource, sys; from pathlib import Path; from rag_app.sealed import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_whole(Path(sys.argv[1]), b'x' * 2000)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert "LibraryError" in ran.stderr
    assert "could not be written" in ran.stderr
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_second_writer_is_told_the_pid_at_once_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from rag_app.sealed import writer_lock\n"
        "with writer_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        began = time.perf_counter()
        with pytest.raises(LibraryError, match=f"pid {holder.pid}"), writer_lock(tmp_path):
            pass
        assert time.perf_counter() - began < 1
        os.kill(holder.pid, signal.SIGKILL)
    with writer_lock(tmp_path):
        pass
