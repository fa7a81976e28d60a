"""Whole writes: files renamed into place, directories sealed behind a pointer, one writer.

Chroma's local store breaks under kill -9 and under two writers (DESIGN, "Chroma"), so nothing
that is served is ever written to: a directory is built aside, flushed, and made current by
renaming a one-line pointer file over the old one. A reader sees the old or the new, never a part.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag_app.errors import LibraryError
from rag_app.sums import FILE, write_sums

POINTER = "current"
NEARLY_FULL = 1_000_000
"""Free bytes below which a failure is put down to the disk, whatever a library called it."""


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
        raise disk_error(path, error, len(data)) from error


def current(root: Path) -> Path | None:
    """The sealed directory that ``root`` points to; None when nothing was sealed there yet."""
    try:
        name = (root / POINTER).read_bytes().decode("utf-8", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):  # a file system's own files lie about
        return None
    plain = bool(name) and name.isprintable() and Path(name).name == name
    return root / name if plain and (root / name).is_dir() else None


def points_nowhere(root: Path) -> bool:
    """Whether there is a pointer that names no directory: it, or the directory, was damaged."""
    return (root / POINTER).exists() and current(root) is None


@contextmanager
def sealing(root: Path, name: str, needed: int = 0) -> Iterator[Path]:
    """Build a directory aside; when the block ends well it becomes current under ``root/name``.

    When the block raises, what was built is removed and the old one goes on being current.
    ``needed`` is how many bytes it may take; with less free nothing is begun.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    part = root / f".{name}.{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        if shutil.disk_usage(root).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield part
        write_sums(part)
        for path in part.rglob("*"):
            if path.is_file():
                _sync(path)
        folder = root / name
        if folder.exists():  # sealed, then damaged; or the pointer was never switched: a crash
            _move_over(part, folder)
        else:
            part.rename(folder)
        _sync_folder(root)
        write_whole(root / POINTER, f"{name}\n".encode())
    except OSError as error:
        raise disk_error(root, error, needed) from error
    except Exception as error:
        if _is_full(root, error):  # SQLite and others have names of their own for it
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise disk_error(root, full, needed) from error
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _move_over(part: Path, folder: Path) -> None:
    """Put each file over its namesake, the sums last: whoever reads meets whole files."""
    for path in sorted(part.rglob("*"), key=lambda path: path.name == FILE):
        if path.is_file():
            target = folder / path.relative_to(part)
            target.parent.mkdir(exist_ok=True)
            path.replace(target)
    _sync_folder(folder)


class Lease:
    """A reader's hold on a sealed directory: ``prune`` leaves it until the reader lets go.

    The kernel drops it when the process dies.
    """

    def __init__(self, folder: Path) -> None:
        """Hold a directory.

        Raises:
            FileNotFoundError: it was pruned before it could be held.
        """
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self._handle), folder.stat()):
                raise FileNotFoundError(folder)
        except OSError as error:
            self.close()
            raise FileNotFoundError(folder) from error

    def close(self) -> None:
        """Let go."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def __del__(self) -> None:
        self.close()


def prune(root: Path, keep: set[str]) -> None:
    """Remove the directories under ``root`` that are neither current, nor in ``keep``, nor read.

    Leftovers of killed writers (``.part``) go too, so call it under the writer's lock. Where the
    pointer is damaged nobody knows what is current, and all but leftovers stays.
    """
    for folder in prunable(root, keep):
        discard(folder)


def prunable(root: Path, keep: set[str]) -> list[Path]:
    """What ``prune`` would remove, were nobody reading it."""
    served, lost = current(root), points_nowhere(root)
    return [
        path
        for path in sorted(root.iterdir() if root.is_dir() else ())
        if path.name.endswith(".part")
        or (path.is_dir() and not lost and path != served and path.name not in keep)
    ]


def discard(path: Path) -> bool:
    """Remove a file, or a directory that no reader holds; False when one does."""
    if not path.is_dir():
        try:
            path.unlink()
        except OSError:
            return False
        return True
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        path.rename(aside)  # in one step, so that no reader meets half of it
        shutil.rmtree(aside, ignore_errors=True)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold the only right to write under ``home``; the kernel drops it when the process dies.

    Raises:
        LibraryError: another process writes, and the message names its pid; or the folder
            cannot be made.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "writer.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise disk_error(home, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LibraryError(
                f"Another process (pid {file.read().strip() or 'unknown'}) is writing to {home}; "
                "wait until it has finished."
            ) from None
        with suppress(OSError):  # on a full disk the pid is not known, the lock holds all the same
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield


def disk_error(path: Path, error: OSError, needed: int = 0) -> LibraryError:
    """The sentence for a file that could not be written; a full disk's says how much is needed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or (error.errno is None and _is_full(path)):
        much = f"about {needed / 1e6:.1f} MB are needed, " if needed else ""
        return LibraryError(
            f"The disk is full at {path}: {much}{_free(path) / 1e6:.1f} MB are free; make room, or "
            "give RAG_HOME another disk. What was there before is untouched."
        )
    return LibraryError(
        f"{path} could not be written ({error.strerror or error}); free some space or mend its "
        "permissions. What was there before is untouched."
    )


def _is_full(path: Path, error: Exception | None = None) -> bool:
    return _free(path) < NEARLY_FULL or "disk is full" in str(error)


def _free(path: Path) -> int:
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(there).free


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
