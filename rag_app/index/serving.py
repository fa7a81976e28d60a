"""Which index answers now: the current one, one derived on the spot, or an older one, said so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rag_app.errors import DamagedIndex, LibraryError, OutdatedIndex
from rag_app.index.build import (
    Note,
    Progress,
    build_index,
    chunks_without_vectors,
    index_root,
    is_current,
)
from rag_app.index.embedder import Embedder
from rag_app.index.snapshot import Snapshot
from rag_app.index.wholeness import hold_index, hold_library
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.sealed import current, writer_lock

ATTEMPTS = 5
"""An index may be replaced and removed between finding and opening it, hardly twice in a row."""
RETRY_S = 10.0


def open_snapshot(
    library: Library,
    embedder: Embedder,
    dim: int,
    *,
    on_progress: Progress = lambda done: None,
    on_note: Note = lambda note: None,
) -> Snapshot:
    """Open the index of a model and dimension, deriving it first where that is cheap or needed.

    A model that never served is encoded once. An index that lags behind the library is derived
    anew when all vectors are stored (seconds); when they are not, or another process writes, the
    older one answers and ``on_note`` says so: an interrupted ingest never stops the chat. One
    whose bytes have changed, or that another version of this program wrote, is built anew, and
    ``on_note`` says why.

    Raises:
        LibraryError: the library is empty or a filing in it damaged, or another process writes
            and there is no index yet.
        IndexMismatch: the index is not what the settings say; the message names the command.
    """
    library.check_filters(Filters())
    root = index_root(library.home, embedder.spec, dim)
    for _ in range(ATTEMPTS):
        try:
            _hold(root, library)
            _bring_up(root, library, embedder, dim, on_progress, on_note)
            folder = current(root)
            if folder is not None:
                hold_library(folder, library)
                return Snapshot.open(folder, library, embedder, dim)
        except FileNotFoundError:  # it was replaced and removed since its name was read
            continue
        except (DamagedIndex, OutdatedIndex) as error:
            on_note(f"{error} It is built anew from the library.")
            with writer_lock(library.home):
                build_index(library, embedder, dim, on_progress, rebuild=True, on_note=on_note)
    raise LibraryError(f"The index under {root} does not stay; run `python -m rag_app index`.")


def may_answer(snapshot: Snapshot, versions: Mapping[str, str], age_s: float) -> bool:
    """Whether a snapshot opened ``age_s`` ago still answers for these versions of the library.

    One that ``open_snapshot`` had to take though it lags behind does so for a while only: an
    ingest that stood in the way has ended by then, or is given more time.
    """
    return snapshot.passport.filings == versions or age_s < RETRY_S


def _hold(root: Path, library: Library) -> None:
    served = current(root)
    if served is not None:
        hold_index(served, library)


def _bring_up(
    root: Path,
    library: Library,
    embedder: Embedder,
    dim: int,
    on_progress: Progress,
    on_note: Note,
) -> None:
    """Derive the index where there is none, and where it lags behind and all vectors are stored."""
    if current(root) is None:
        with writer_lock(library.home):
            build_index(library, embedder, dim, on_progress, on_note=on_note)
    elif not is_current(library, embedder.spec, dim):
        waiting = chunks_without_vectors(library, embedder.spec)
        try:
            if waiting:
                raise LibraryError(f"{waiting} chunks are not encoded yet")
            with writer_lock(library.home):
                build_index(library, embedder, dim, on_note=on_note)
        except LibraryError as error:
            on_note(
                f"Answering from an older index ({error}). Run `python -m rag_app index` to "
                "bring it up to the library."
            )
