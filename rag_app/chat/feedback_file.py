"""The SQLite file of the feedback: its schema, and connections to it."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from rag_app.errors import FeedbackError
from rag_app.sqlite_file import SqliteFile

FILE = "feedback.sqlite"

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
"""What each version adds, see ``SqliteFile``."""


def reading(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """A connection to the file as it stands at one moment.

    Raises:
        FeedbackError: the file is damaged, from a newer version, or cannot be opened.
    """
    return _file(path).reading()


def writing(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """A connection whose changes are all kept when the block ends well, and else none of them.

    Raises:
        FeedbackError: as ``reading``; or the disk is full, or another session held the file.
    """
    return _file(path).writing()


def sweep(path: Path) -> None:
    """Empty the log beside the file, which may hold texts that were just deleted."""
    _file(path).sweep()


def _file(path: Path) -> SqliteFile:
    return SqliteFile(path, MIGRATIONS, FeedbackError)
