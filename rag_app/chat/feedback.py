"""Thumbs, right passages, wrong figures and edited questions, kept for retraining."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from rag_app.chat.feedback_file import FILE, reading, sweep, writing
from rag_app.chat.marks import KINDS, OPPOSITE, Exchange, Kind, Mark, ShownPassage
from rag_app.errors import FeedbackError
from rag_app.records import Filters

PASSAGE_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(ShownPassage))


class FeedbackStore:
    """The marks under ``home/feedback.sqlite``.

    Each call is a transaction of its own, on a connection of its own, so any number of sessions
    and processes may share the file; it is made at the first mark.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    def mark(self, asked: Exchange, kind: Kind, value: str = "") -> int:
        """Keep what was said of an answer and return the mark's id; saying it again is no new mark.

        A thumb takes the other thumb back.

        Raises:
            FeedbackError: there is no such kind, a right passage that was not shown, a mark that
                lacks its value, or a file that cannot be written.
        """
        _check(asked, kind, value)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with writing(self.path) as connection:
            _keep_answer(connection, asked)
            if kind in OPPOSITE:
                connection.execute(
                    "DELETE FROM marks WHERE answer_id = ? AND kind = ?", (asked.id, OPPOSITE[kind])
                )
            connection.execute(
                "INSERT INTO marks (answer_id, kind, value, marked_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (asked.id, kind, value, now),
            )
            row = connection.execute(
                "SELECT id FROM marks WHERE answer_id = ? AND kind = ? AND value = ?",
                (asked.id, kind, value),
            ).fetchone()
            return int(row["id"])

    def take_back(self, exchange_id: str, kind: Kind, value: str = "") -> None:
        """Remove a mark, as when a thumb is clicked again; one that is not there is no error.

        Raises:
            FeedbackError: the file cannot be written.
        """
        if not self.path.exists():
            return
        with writing(self.path) as connection:
            connection.execute(
                "DELETE FROM marks WHERE answer_id = ? AND kind = ? AND value = ?",
                (exchange_id, kind, value),
            )
            _drop_unmarked(connection)

    def said_of(self, exchange_id: str) -> set[tuple[Kind, str]]:
        """Kind and value of every mark of one answer.

        Raises:
            FeedbackError: the file cannot be read.
        """
        if not self.path.exists():
            return set()
        with reading(self.path) as connection:
            rows = connection.execute(
                "SELECT kind, value FROM marks WHERE answer_id = ?", (exchange_id,)
            )
            return {(row["kind"], row["value"]) for row in rows}

    def marks(self) -> list[Mark]:
        """All marks, in the order in which they were made.

        Raises:
            FeedbackError: the file cannot be read.
        """
        if not self.path.exists():
            return []
        with reading(self.path) as connection:
            asked = _asked(connection)
            reviews: dict[int, dict[int, bool]] = defaultdict(dict)
            for row in connection.execute("SELECT mark_id, number, accepted FROM reviews"):
                reviews[row["mark_id"]][row["number"]] = bool(row["accepted"])
            return [
                Mark(
                    id=row["id"],
                    kind=row["kind"],
                    value=row["value"],
                    marked_at=row["marked_at"],
                    asked=asked[row["answer_id"]],
                    reviews=dict(reviews[row["id"]]),
                )
                for row in connection.execute("SELECT * FROM marks ORDER BY id")
            ]

    def review(self, decisions: Mapping[tuple[int, int], bool]) -> None:
        """Keep, for pairs of mark id and passage number, whether the passage is a right one.

        Raises:
            FeedbackError: a mark or its passage is not there (then nothing is kept), or the file
                cannot be written.
        """
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with writing(self.path) as connection:
            for (mark_id, number), accepted in decisions.items():
                known = connection.execute(
                    "SELECT 1 FROM marks JOIN passages USING (answer_id) "
                    "WHERE marks.id = ? AND number = ?",
                    (mark_id, number),
                ).fetchone()
                if known is None:
                    raise FeedbackError(
                        f"There is no passage {number} of a mark {mark_id}; see "
                        "`python -m rag_app feedback review`."
                    )
                connection.execute(
                    "INSERT INTO reviews (mark_id, number, accepted, reviewed_at) "
                    "VALUES (?, ?, ?, ?) ON CONFLICT (mark_id, number) DO UPDATE SET "
                    "accepted = excluded.accepted, reviewed_at = excluded.reviewed_at",
                    (mark_id, number, int(accepted), now),
                )

    def forget(self, mark_ids: Sequence[int]) -> None:
        """Delete these marks, and the questions and answers that no other mark is about.

        Raises:
            FeedbackError: one is not there (then none is deleted), or the file cannot be written.
        """
        with writing(self.path) as connection:
            known = {row["id"] for row in connection.execute("SELECT id FROM marks")}
            if absent := sorted(set(mark_ids) - known):
                raise FeedbackError(
                    f"There is no mark {', '.join(map(str, absent))}; see "
                    "`python -m rag_app feedback list`."
                )
            connection.executemany("DELETE FROM marks WHERE id = ?", [(id_,) for id_ in mark_ids])
            _drop_unmarked(connection)
        sweep(self.path)

    def forget_all(self) -> int:
        """Delete everything; returns how many marks there were.

        Raises:
            FeedbackError: the file cannot be written.
        """
        if not self.path.exists():
            return 0
        with writing(self.path) as connection:
            count = connection.execute("SELECT count(*) FROM marks").fetchone()[0]
            connection.execute("DELETE FROM answers")
        sweep(self.path)
        return int(count)


def _check(asked: Exchange, kind: Kind, value: str) -> None:
    if kind not in KINDS:
        raise FeedbackError(f"There is no mark {kind}; known are {', '.join(KINDS)}.")
    if kind in OPPOSITE:
        if value:
            raise FeedbackError(f"A thumb {kind} says nothing else; leave {value!r} out.")
    elif not value.strip():
        raise FeedbackError(f"A mark {kind} needs what it is about; give a value.")
    if kind == "right-passage" and value not in {p.chunk_id for p in asked.passages}:
        raise FeedbackError(f"{value} was not shown for this question; mark a passage that was.")


def _keep_answer(connection: sqlite3.Connection, asked: Exchange) -> None:
    added = connection.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            *(asked.id, asked.question, asked.searched_for, json.dumps(asked.filters.as_json())),
            *(asked.text, asked.model, asked.dim, asked.llm),
        ),
    ).rowcount
    if added:
        marks = ", ".join("?" * len(fields(ShownPassage)))
        connection.executemany(
            f"INSERT INTO passages (answer_id, {PASSAGE_COLUMNS}) VALUES (?, {marks})",
            [(asked.id, *astuple(passage)) for passage in asked.passages],
        )


def _drop_unmarked(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM answers WHERE id NOT IN (SELECT answer_id FROM marks)")


def _asked(connection: sqlite3.Connection) -> dict[str, Exchange]:
    passages: dict[str, list[ShownPassage]] = defaultdict(list)
    columns = f"SELECT answer_id, {PASSAGE_COLUMNS} FROM passages ORDER BY answer_id, number"
    for row in connection.execute(columns):
        shown = {field.name: row[field.name] for field in fields(ShownPassage)}
        passages[row["answer_id"]].append(ShownPassage(**{**shown, "cited": bool(row["cited"])}))
    return {
        row["id"]: Exchange(
            id=row["id"],
            question=row["question"],
            searched_for=row["searched_for"],
            filters=Filters(**json.loads(row["filters"])),
            text=row["text"],
            model=row["model"],
            dim=row["dim"],
            llm=row["llm"],
            passages=tuple(passages[row["id"]]),
        )
        for row in connection.execute("SELECT * FROM answers")
    }
