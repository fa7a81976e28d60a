"""Whole writes: files renamed into place, directories sealed behind a pointer, one writer.

Chroma's local store breaks under kill -9 and under two writers (DESIGN, "Chroma"), so nothing
that is served is ever written to: a directory is built aside, flushed, and made current by
renaming a one-line pointer file over the old one. A reader sees the old or the new, never a part.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag_app.errors import LibraryError

POINTER = "current"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old bytes or the new, never a part.

    Raises:
        LibraryError: the disk is full or read-only; the old file stands.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise _disk_error(path, error) from error


def current(root: Path) -> Path | None:
    """The sealed directory that ``root`` points to; None when nothing was sealed there yet."""
    try:
        name = (root / POINTER).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    folder = root / name
    return folder if name and folder.is_dir() else None


@contextmanager
def sealing(root: Path, name: str) -> Iterator[Path]:
    """Build a directory aside; when the block ends well it becomes current under ``root/name``.

    When the block raises, what was built is removed and the old one goes on being current.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    part = root / f".{name}.{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        yield part
        for path in part.rglob("*"):
            if path.is_file():
                _sync(path)
        folder = root / name
        if folder.exists():  # sealed, but the pointer was never switched: a crash in between
            shutil.rmtree(folder)
        part.rename(folder)
        _sync_folder(root)
        write_whole(root / POINTER, f"{name}\n".encode())
    except OSError as error:
        raise _disk_error(root, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def prune(root: Path, keep: set[str]) -> None:
    """Remove the directories under ``root`` that are neither current nor in ``keep``.

    Leftovers of killed writers (``.part``) go too, so call it under the writer's lock.
    """
    served = current(root)
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder != served and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold the only right to write under ``home``; the kernel drops it when the process dies.

    Raises:
        LibraryError: another process writes, and the message names its pid; or the folder
            cannot be made.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _disk_error(home, error) from error
    with (home / "writer.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LibraryError(
                f"Another process (pid {file.read().strip() or 'unknown'}) is writing to {home}; "
                "wait until it has finished."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_error(path: Path, error: OSError) -> LibraryError:
    return LibraryError(
        f"{path} could not be written ({error.strerror or error}); free some space or mend its "
        "permissions. What was there before is untouched."
    )
