"""A SQLite file: made whole, brought up to date, shared by sessions, its failures one sentence."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import RagError

WAIT_S = 30.0
"""How long one session waits for the others' writes, each of which takes milliseconds."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A file and its schema.

    ``migrations`` says what each version adds to the one before it. A row that was released is
    never changed; a new version is a new row. ``PRAGMA user_version`` says how many a file has
    seen. ``error`` is what its failures are raised as.
    """

    path: Path
    migrations: tuple[tuple[str, ...], ...]
    error: type[RagError]

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to the file as it stands at one moment.

        Raises:
            RagError: the file is damaged, from a newer version, or cannot be opened.
        """
        with self._plain_errors(), closing(self._open()) as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are all kept when the block ends well, else none of them.

        Raises:
            RagError: as ``reading``; or the disk is full, or another session held the file.
        """
        with self._plain_errors(), closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                _roll_back(connection)
                raise
            connection.execute("COMMIT")

    def sweep(self) -> None:
        """Empty the log beside the file, which may hold texts that were just deleted."""
        with self._plain_errors(), closing(self._open()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self._create()
        connection = _connect(self.path)
        try:
            if _version(connection) != len(self.migrations):
                self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self) -> None:
        """Make the file aside and link it into place: of two sessions at once, one wins."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with closing(_connect(part)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")  # kept in the file
                self._migrate(connection)
            part.chmod(0o600)  # questions are their asker's
            os.link(part, self.path)
        except FileExistsError:
            pass
        finally:
            part.unlink(missing_ok=True)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            seen = _version(connection)  # another session may have been quicker
            if seen > len(self.migrations):
                raise self.error(
                    f"{self.path} was written by a newer version of this program; update it, or "
                    "move the file away."
                )
            for statements in self.migrations[seen:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(self.migrations)}")
        except BaseException:
            _roll_back(connection)
            raise
        connection.execute("COMMIT")

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise self.error(
                f"{self.path} cannot be read or written now ({error}); check the disk and its "
                "permissions, then try again."
            ) from None
        except sqlite3.DatabaseError as error:
            raise self.error(
                f"{self.path} is damaged ({error}); move it away, and a new one is begun."
            ) from None
        except OSError as error:
            raise self.error(
                f"{self.path} cannot be written ({error.strerror or error}); free some space or "
                "mend its permissions."
            ) from None


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are begun and ended here, by name, not by the driver's guess.
    connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite rolls back by itself when the disk is full, say
        connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
