"""The SQLite file of the feedback: made whole, brought up to date, its failures one sentence."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rag_app.errors import FeedbackError

FILE = "feedback.sqlite"
WAIT_S = 30.0
"""How long one session waits for the others' writes, each of which takes milliseconds."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE answers (
            id TEXT PRIMARY KEY, question TEXT NOT NULL, searched_for TEXT NOT NULL,
            filters TEXT NOT NULL, text TEXT NOT NULL, model TEXT NOT NULL,
            dim INTEGER NOT NULL, llm TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE passages (
            answer_id TEXT NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
            number INTEGER NOT NULL, chunk_id TEXT NOT NULL, cited INTEGER NOT NULL,
            cosine REAL NOT NULL, filing TEXT NOT NULL, accession TEXT NOT NULL,
            item TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
            ticker TEXT NOT NULL, form TEXT NOT NULL, fiscal_year INTEGER NOT NULL,
            text TEXT NOT NULL, PRIMARY KEY (answer_id, number)
        ) STRICT""",
        """CREATE TABLE marks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            answer_id TEXT NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
            kind TEXT NOT NULL, value TEXT NOT NULL, marked_at TEXT NOT NULL,
            UNIQUE (answer_id, kind, value)
        ) STRICT""",
        """CREATE TABLE reviews (
            mark_id INTEGER NOT NULL REFERENCES marks (id) ON DELETE CASCADE,
            number INTEGER NOT NULL, accepted INTEGER NOT NULL, reviewed_at TEXT NOT NULL,
            PRIMARY KEY (mark_id, number)
        ) STRICT""",
    ),
)
"""What each version adds to the one before it. A row that was released is never changed; a new
version is a new row. ``PRAGMA user_version`` says how many a file has seen."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the file as it stands at one moment.

    Raises:
        FeedbackError: the file is damaged, from a newer version, or cannot be opened.
    """
    with _plain_errors(path), closing(_open(path)) as connection:
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose changes are all kept when the block ends well, and else none of them.

    Raises:
        FeedbackError: as ``reading``; or the disk is full, or another session held the file.
    """
    with _plain_errors(path), closing(_open(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def sweep(path: Path) -> None:
    """Empty the log beside the file, which may hold texts that were just deleted."""
    with _plain_errors(path), closing(_open(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        _create(path)
    connection = _connect(path)
    try:
        if _version(connection) != len(MIGRATIONS):
            _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are begun and ended here, by name, not by the driver's guess.
    connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    return connection


def _create(path: Path) -> None:
    """Make the file aside and link it into place: of two sessions at once, one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with closing(_connect(part)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # kept in the file
            _migrate(connection, part)
        part.chmod(0o600)  # questions are their asker's
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        seen = _version(connection)  # another session may have been quicker
        if seen > len(MIGRATIONS):
            raise FeedbackError(
                f"{path} was written by a newer version of this program; update it, or move the "
                "file away."
            )
        for statements in MIGRATIONS[seen:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise FeedbackError(
            f"{path} cannot be read or written now ({error}); check the disk and its permissions, "
            "then try again."
        ) from None
    except sqlite3.DatabaseError as error:
        raise FeedbackError(
            f"{path} is damaged ({error}); move it away, and a new one is begun."
        ) from None
    except OSError as error:
        raise FeedbackError(
            f"{path} cannot be written ({error.strerror or error}); free some space or mend its "
            "permissions."
        ) from None
