"""Whether an index, and what it reads of the library, are the bytes that were sealed."""

from __future__ import annotations

from pathlib import Path

from rag_app.errors import DamagedIndex, IndexMismatch
from rag_app.filing_files import damaged
from rag_app.index.passport import Passport
from rag_app.index.vector_sums import are_whole
from rag_app.library import Library
from rag_app.sums import damaged_files, read_sums

HASHED_AT_OPEN = 200_000_000
"""Bytes up to which all are hashed whenever an index is opened; of more, sizes are looked at.

Hashing took 0.2 s for 100 MB (541 MB/s, one busy core), beside seconds of imports. Whatever is
read of a filing's files is hashed in any case, and `index --verify` hashes everything.
"""


def hold_index(folder: Path, library: Library) -> None:
    """Hold a sealed index, and the vectors it was built from, to their checksums.

    Raises:
        DamagedIndex: names the first file that is not what was sealed.
        FileNotFoundError: it was removed meanwhile.
    """
    hashed = _size(folder) <= HASHED_AT_OPEN
    hurt = damaged_files(folder, hashed=hashed)
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    if hurt:
        more = f" and {len(hurt) - 1} more" if len(hurt) > 1 else ""
        raise DamagedIndex(f"The index at {folder} is damaged ({hurt[0]}{more}).")
    passport = Passport.load(folder)
    paths = [
        path
        for key, version in passport.filings.items()
        if (library.root / key / version).is_dir()  # else `hold_library` says so
        and (path := library.vectors_path(key, version, passport.fingerprint)).exists()
    ]
    hashed = sum(path.stat().st_size for path in paths) <= HASHED_AT_OPEN
    for path in paths:
        if not are_whole(path, hashed=hashed):
            raise DamagedIndex(f"The vectors in {path} are damaged.")


def hold_library(folder: Path, library: Library) -> None:
    """Hold that the filings which an index reads are there, whole by their sizes.

    Raises:
        IndexMismatch: a filing is missing.
        LibraryError: a file of a filing is damaged.
    """
    for key, version in Passport.load(folder).filings.items():
        stored = library.root / key / version
        if not stored.is_dir():
            raise IndexMismatch(
                f"The index was built with {key} (version {version}), which the library lacks; run "
                "`python -m rag_app index --rebuild`."
            )
        for name in damaged_files(stored, hashed=False):
            raise damaged(stored / name, "its size is not what was stored")


def _size(folder: Path) -> int:
    try:
        return sum(each.size for each in (read_sums(folder) or {}).values())
    except ValueError:
        return 0
