"""Checksums of a sealed folder: each file's size and SHA-256 when it was sealed."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

FILE = "sums.json"


@dataclass(frozen=True, slots=True)
class Sum:
    """What a file's bytes were: how many, and their SHA-256."""

    size: int
    sha256: str


def sum_of(data: bytes) -> Sum:
    """The sum of bytes."""
    return Sum(len(data), hashlib.sha256(data).hexdigest())


def file_sum(path: Path) -> Sum:
    """The sum of a file, read in pieces."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Sum(path.stat().st_size, digest)


def write_sums(folder: Path, skip: Iterable[str] = ()) -> None:
    """Note the sums of every file under a folder; ``skip`` names folders in it that go on growing.

    The list carries its own checksum, so that damage to it is not taken for damage to a file.
    """
    left_out = {folder / name for name in skip}
    found = {
        path.relative_to(folder).as_posix(): astuple(file_sum(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != FILE and not left_out.intersection(path.parents)
    }
    record = {"sha256": _own_sum(found), "files": found}
    (folder / FILE).write_text(json.dumps(record, indent=0), "utf-8")


def read_sums(folder: Path) -> dict[str, Sum] | None:
    """The sums of a folder by file; None for one that was sealed before sums were kept.

    Raises:
        ValueError: the list itself is damaged.
    """
    try:
        stat = (folder / FILE).stat()
    except OSError:
        return None
    return _read(folder / FILE, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=8192)
def _read(path: Path, mtime_ns: int, size: int) -> dict[str, Sum]:
    try:
        record = json.loads(path.read_bytes())
        files = {name: Sum(*values) for name, values in record["files"].items()}
        right = record["sha256"] == _own_sum(record["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(path)) from error
    if not right:
        raise ValueError(str(path))
    return files


def damaged_files(folder: Path, *, hashed: bool) -> list[str]:
    """The files that are gone or not what was sealed: by their sizes, or ``hashed`` by their bytes.

    A list that is damaged itself is named alone. Empty for a folder without a list.
    """
    try:
        sums = read_sums(folder) or {}
    except ValueError:
        return [FILE]
    return [name for name, wanted in sums.items() if not is_whole(folder / name, wanted, hashed)]


def is_whole(path: Path, wanted: Sum, hashed: bool) -> bool:
    """Whether a file has the size, or ``hashed`` the bytes, that it had."""
    try:
        return path.stat().st_size == wanted.size and (not hashed or file_sum(path) == wanted)
    except OSError:
        return False


def is_as_sealed(path: Path, data: bytes) -> bool:
    """Whether bytes that were just read are those sealed; True where no sums were kept.

    ``path`` is a file directly in a sealed folder.
    """
    try:
        wanted = (read_sums(path.parent) or {}).get(path.name)
    except ValueError:
        return False
    return wanted is None or sum_of(data) == wanted


def _own_sum(files: object) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
