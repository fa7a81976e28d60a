"""Conversations, kept so that a reload or a bookmark shows them again."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from rag_app.chat.message import Message
from rag_app.chat.plain import from_plain, to_plain
from rag_app.errors import ConversationError
from rag_app.sqlite_file import SqliteFile

FILE = "conversations.sqlite"
MAX_TITLE = 80
"""Characters of a title; a longer question is cut."""
LISTED = 200
"""Conversations that a list shows, the newest; the others open by their address still."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE conversations (
            id TEXT PRIMARY KEY, title TEXT NOT NULL, changed_at TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            kept_at TEXT NOT NULL, record TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX messages_of ON messages (conversation_id, id)",
    ),
)
"""What each version adds, see ``SqliteFile``. ``record`` is the message as JSON."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a list says of a conversation; the time is UTC, ISO 8601."""

    id: str
    title: str
    changed_at: str
    questions: int


class ConversationStore:
    """The conversations under ``home/conversations.sqlite``.

    Each call is a transaction of its own, on a connection of its own, so any number of sessions
    and processes may share the file; it is made with the first answer.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._file = SqliteFile(self.path, MIGRATIONS, ConversationError)

    def keep(self, conversation_id: str, message: Message) -> int:
        """Put a message at a conversation's end; the first one begins it and gives the title.

        Returns the message's number, which ``replace`` takes.

        Raises:
            ConversationError: the file cannot be written.
        """
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        record = json.dumps(to_plain(message), ensure_ascii=False)
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO conversations VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET changed_at = excluded.changed_at",
                (conversation_id, short_title(message.question), now),
            )
            number = connection.execute(
                "INSERT INTO messages (conversation_id, kept_at, record) VALUES (?, ?, ?)",
                (conversation_id, now, record),
            ).lastrowid
        return number or 0

    def replace(self, number: int, message: Message) -> None:
        """Put a message in the place of one that was kept; one that was deleted stays deleted.

        Raises:
            ConversationError: the file cannot be written.
        """
        record = json.dumps(to_plain(message), ensure_ascii=False)
        with self._file.writing() as connection:
            connection.execute("UPDATE messages SET record = ? WHERE id = ?", (record, number))

    def listed(self) -> list[Conversation]:
        """The conversations, the one that was changed last first.

        Raises:
            ConversationError: the file cannot be read.
        """
        if not self.path.exists():
            return []
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT id, title, changed_at, (SELECT count(*) FROM messages "
                "WHERE conversation_id = conversations.id) AS questions FROM conversations "
                "ORDER BY changed_at DESC, rowid DESC LIMIT ?",
                (LISTED,),
            )
            return [Conversation(**dict(row)) for row in rows]

    def messages(self, conversation_id: str) -> list[Message]:
        """The messages of a conversation, oldest first.

        Raises:
            ConversationError: there is no such conversation, or the file cannot be read.
        """
        records: list[str] = []
        if self.path.exists():
            with self._file.reading() as connection:
                rows = connection.execute(
                    "SELECT record FROM messages WHERE conversation_id = ? ORDER BY id",
                    (conversation_id,),
                )
                records = [row["record"] for row in rows]
        if not records:
            raise ConversationError(
                "There is no such conversation, it may have been deleted; begin a new one."
            )
        try:
            return [from_plain(Message, json.loads(record)) for record in records]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConversationError(
                f"A message of this conversation in {self.path} cannot be read "
                f"({type(error).__name__}); begin a new one."
            ) from None

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title.

        Raises:
            ConversationError: the title is empty, there is no such conversation, or the file
                cannot be written.
        """
        if not title.strip():
            raise ConversationError("A conversation needs a title; type one.")
        with self._file.writing() as connection:
            renamed = connection.execute(
                "UPDATE conversations SET title = ? WHERE id = ?",
                (short_title(title), conversation_id),
            ).rowcount
        if not renamed:
            raise ConversationError("This conversation was deleted meanwhile; begin a new one.")

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation and what was said in it; one that is gone already is no error.

        Raises:
            ConversationError: the file cannot be written.
        """
        with self._file.writing() as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
        self._file.sweep()


def new_id() -> str:
    """Names a conversation in its address; nobody guesses it."""
    return secrets.token_urlsafe(12)


def short_title(text: str) -> str:
    """A text as a title: one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TITLE else f"{line[: MAX_TITLE - 1].rstrip()}…"
