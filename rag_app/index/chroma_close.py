"""A finished embedded Chroma store is closed for good: opening it writes nothing from then on."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from rag_app.errors import IndexMismatch

DATABASE = "chroma.sqlite3"


def close_store(folder: Path) -> None:
    """Make a store under ``folder`` read-only in effect, and small.

    Chroma 1.5.9 inserts a row into ``acquire_write`` whenever it opens a store. That changes the
    checksum of what is served, and fails on a full disk. A trigger skips the insert. What the
    write-ahead queue held stays in the file as free pages, half of it; a copy leaves them out.

    Raises:
        IndexMismatch: rows wait in the queue, which every reader would have to add.
        OSError: the disk is full or read-only.
    """
    path, part = folder / DATABASE, folder / f".{DATABASE}.part"
    try:
        database = sqlite3.connect(path)
        try:
            # The queue keeps its last row as a mark.
            (waiting,) = database.execute("SELECT count(*) FROM embeddings_queue").fetchone()
            if waiting > 1:
                raise IndexMismatch(
                    f"Chroma left {waiting} rows of {folder} out of its graph; run "
                    "`python -m rag_app index --rebuild`."
                )
            database.execute(
                "CREATE TRIGGER sealed BEFORE INSERT ON acquire_write "
                "BEGIN SELECT RAISE(IGNORE); END"
            )
            database.commit()
            database.execute("VACUUM INTO ?", (os.fspath(part),))
        finally:
            database.close()
    except sqlite3.OperationalError as error:
        raise OSError(None, str(error)) from error
    part.replace(path)
