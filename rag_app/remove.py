"""Filings out of the library: out of every index first to be asked, then off the disk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rag_app.errors import IndexMismatch, LibraryError
from rag_app.index.build import Note, Progress, build_index, index_root, used_versions
from rag_app.index.embedder import Embedder
from rag_app.index.passport import Passport
from rag_app.library import Library
from rag_app.sealed import POINTER, current, disk_error, prune, writer_lock
from rag_app.uploads import forget_upload


def remove_filings(
    library: Library,
    embedder: Embedder,
    dim: int,
    keys: Sequence[str],
    *,
    on_progress: Progress = lambda done: None,
    on_note: Note = lambda note: None,
) -> int:
    """Take filings out and switch to an index without them; returns how many chunks it holds.

    Indexes of other models and dimensions that hold one are dropped: the next question there
    derives them anew. An upload goes with its filing; a download of EDGAR's stays, so that it
    need not be fetched again. What a reader still holds goes with the next build. Killed at any
    moment, it leaves each filing whole or gone, and the next question brings the index up.

    Raises:
        LibraryError: there is no such filing (then none is removed), another process writes, or
            the disk is full.
    """
    with writer_lock(library.home):
        unknown = [key for key in keys if not library.has(key)]
        if unknown:
            raise LibraryError(
                f"There is no filing {', '.join(unknown)} in the library at {library.home}; "
                "`python -m rag_app status` lists what there is."
            )
        uploads = _checksums(library, keys)
        for key in dict.fromkeys(keys):
            library.remove(key)
        left = library.versions()
        served = index_root(library.home, embedder.spec, dim)
        _drop_indexes(library.home, set(keys), keep=served if left else None)
        count = 0
        if left:
            count = build_index(library, embedder, dim, on_progress, on_note=on_note).chunk_count
        for root in _roots(library.home):
            prune(root, set())  # the replaced build too: it holds what was to go
        library.dense.prune()
        library.forget_unused(used_versions(library.home))
        for sha256 in uploads - {each.filing.sha256 for each in library.filings().values()}:
            forget_upload(library.home, sha256)
    return count


def _checksums(library: Library, keys: Sequence[str]) -> set[str]:
    """Of the files that the filings came from, where their records can be read."""
    found = set()
    for key in keys:
        folder = current(library.root / key)
        with suppress(LibraryError):
            if folder is not None:
                found.add(library.stored(key, folder.name).filing.sha256)
    return found


def _drop_indexes(home: Path, keys: set[str], *, keep: Path | None) -> None:
    """Point away from the sealed indexes that hold a filing; ``keep`` is built anew instead."""
    for root in _roots(home):
        folder = current(root)
        if folder is None or root == keep:
            continue
        try:
            holds = not keys.isdisjoint(Passport.load(folder).filings)
        except IndexMismatch:  # it serves nobody
            continue
        if holds:
            try:
                (root / POINTER).unlink()
            except OSError as error:
                raise disk_error(root, error) from error


def _roots(home: Path) -> list[Path]:
    return sorted((home / "index").glob("*-*"))
