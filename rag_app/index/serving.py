"""Which index answers now: the current one, one derived on the spot, or an older one, said so."""

from __future__ import annotations

from collections.abc import Callable

from rag_app.errors import LibraryError
from rag_app.index.build import (
    Progress,
    build_index,
    chunks_without_vectors,
    index_root,
    is_current,
)
from rag_app.index.embedder import Embedder
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.sealed import current, writer_lock


def open_snapshot(
    library: Library,
    embedder: Embedder,
    dim: int,
    *,
    on_progress: Progress = lambda done: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> Snapshot:
    """Open the index of a model and dimension, deriving it first where that is cheap or needed.

    A model that never served is encoded once. An index that lags behind the library is derived
    anew when all vectors are stored (seconds); when they are not, or another process writes, the
    older one answers and ``on_note`` says so: an interrupted ingest never stops the chat.

    Raises:
        LibraryError: the library is empty, or another process writes and there is no index yet.
        IndexMismatch: the index is damaged; the message names the command.
    """
    library.check_filters(Filters())
    root = index_root(library.home, embedder.spec, dim)
    served = current(root)
    if served is None:
        with writer_lock(library.home):
            build_index(library, embedder, dim, on_progress)
    elif not is_current(library, embedder.spec, dim):
        waiting = chunks_without_vectors(library, embedder.spec)
        try:
            if waiting:
                raise LibraryError(f"{waiting} chunks are not encoded yet")
            with writer_lock(library.home):
                build_index(library, embedder, dim)
        except LibraryError as error:
            on_note(
                f"Answering from an older index ({error}). Run `python -m rag_app index` to "
                "bring it up to the library."
            )
    folder = current(root)
    if folder is None:
        raise LibraryError(f"The index under {root} vanished; run `python -m rag_app index`.")
    return Snapshot.open(folder, library, embedder, dim)
