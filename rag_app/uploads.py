"""Uploaded filings as they came, under ``home/uploads``: the library is read from these files."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from rag_app.errors import FilingError
from rag_app.filings.source import printable
from rag_app.ingest import FILING_SUFFIXES
from rag_app.library import Library
from rag_app.sealed import write_whole

UPLOADS = "uploads"
MAX_STEM = 48
"""Characters of a name that are kept; each may take four bytes, and a file name has 255."""


def keep_upload(home: Path, name: str, data: bytes) -> Path:
    """Write an upload whole and return its path: ``home/uploads/<its checksum>/<a safe name>``.

    The same bytes under the same name are one file. Nothing in the name reaches the path but
    letters, digits and ``.-_``.

    Raises:
        FilingError: the name's ending is none of a filing.
        LibraryError: the disk is full or read-only.
    """
    path = _folder(home, hashlib.sha256(data).hexdigest()) / safe_name(name)
    write_whole(path, data)
    return path


def safe_name(name: str) -> str:
    """A file name without folders or special characters, its ending in small letters.

    Raises:
        FilingError: the ending is none of a filing.
    """
    bare = PurePosixPath(PureWindowsPath(name).name)
    ending = bare.suffix.lower()
    if ending not in FILING_SUFFIXES:
        kinds = ", ".join(sorted(FILING_SUFFIXES))
        raise FilingError(
            f"{printable(Path(name))} is no filing by its ending; upload one of {kinds}."
        )
    stem = re.sub(r"[^\w.-]+", "_", bare.stem).strip("._-")[:MAX_STEM]
    return f"{stem or 'filing'}{ending}"


def forget_upload(home: Path, sha256: str) -> None:
    """Remove the upload with these bytes, if there is one."""
    shutil.rmtree(_folder(home, sha256), ignore_errors=True)


def uploads_in(home: Path, words: Iterable[str]) -> list[Path]:
    """Those words of a command that name an upload."""
    top = home.resolve() / UPLOADS
    return [path for path in map(Path, words) if path.is_absolute() and path.parent.parent == top]


def forget_refused(home: Path, paths: Iterable[Path]) -> None:
    """Remove those uploads that no filing of the library was read from.

    Raises:
        LibraryError: the library cannot be read; nothing is removed.
    """
    read = {_folder(home, each.filing.sha256).name for each in Library(home).filings().values()}
    for path in paths:
        if path.parent.name not in read:
            shutil.rmtree(path.parent, ignore_errors=True)


def _folder(home: Path, sha256: str) -> Path:
    return home / UPLOADS / sha256[:16]
