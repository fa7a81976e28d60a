"""Conversations in their file: kept whole, listed, renamed, deleted, shared, and exported."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from pathlib import Path

import pytest
from passages import hit

from rag_app.chat.conversations import MAX_TITLE, ConversationStore, new_id
from rag_app.chat.marks import answer_id
from rag_app.chat.message import Message
from rag_app.chat.plain import from_plain, to_plain
from rag_app.errors import ConversationError
from rag_app.index.asked import Asked
from rag_app.records import Answer, Citation, Figure, Filing, Filters
from rag_app.render import answer_json
from rag_app.sqlite_file import SqliteFile
from rag_app.ui.examples import example_questions
from rag_app.ui.transcript import transcript_markdown, transcript_name

QUESTION = "What was Quill's revenue in 2023?"
ROWS = "Net sales were $41 million.\n\n| (in millions) | 2023 |\n| Net sales | 41 |"


def message(question: str = QUESTION) -> Message:
    """A message with everything in it that an answer may have."""
    found = [hit(ROWS, heading="Sales"), hit("<b>Risk</b> ![x](https://evil.example/a.png)")]
    found[0].node.metadata["also_in"] = [{"chunk_id": "QUIL:1", "form": "10-K", "fiscal_year": 22}]
    found[0].node.metadata |= {"period_end": "2023-12-31", "page": 45}
    asked = Filters("QUIL", fiscal_year=[2022, 2023])
    citation = Citation(1, found[0].node.node_id, "QUIL_10-K_2023-12-31", "7", ROWS)
    answer = Answer(
        text="Revenue was $41 million [1], not $77 million [1]. <img src=x>",
        citations=(citation,),
        figures=(
            Figure("$41 million", 1, "in passage", "net sales"),
            Figure("$77 million", 1, "contradicted", "41"),
            Figure("9%", None),
        ),
        hits=tuple(found),
        model="minilm",
        dim=128,
        llm="stand-in",
        timings_ms={"retrieve": 1.1, "write": 0.3},
        searched_for=question,
        filters=asked,
    )
    sides = (Filters("QUIL", fiscal_year=2022), Filters("QUIL", fiscal_year=2023))
    return Message(
        question,
        f"{question} And why?",
        asked,
        answer,
        asked=Asked(asked, sides, by_itself=True, notes=("no FY2021 10-K of QUIL",)),
    )


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "home")


def test_a_message_comes_back_whole(store: ConversationStore) -> None:
    failed = Message("And then?", "And then?", Filters(), None, "The LLM server is away.")
    store.keep("one", message())
    store.keep("one", failed)
    first, second = store.messages("one")
    assert second == failed
    whole = message()
    assert to_plain(first) == to_plain(whole)
    assert first.asked == whole.asked and first.filters == whole.filters
    assert first.answer and whole.answer
    assert first.answer.figures == whole.answer.figures
    assert first.answer.citations == whole.answer.citations
    assert answer_json(first.answer) == answer_json(whole.answer)
    # Marks that were made of an answer are found again.
    parts = (QUESTION, whole.searched_for, whole.filters)
    assert answer_id(*parts, first.answer) == answer_id(*parts, whole.answer)
    assert first.answer.hits[0].node.get_content() == ROWS


def test_a_message_of_another_version_is_read() -> None:
    """One that has a field more, and one that has a field less."""
    record = to_plain(message())
    record["mood"] = "glad"
    del record["answer"]["timings_ms"], record["error"]
    found = from_plain(Message, record)
    assert found.answer.timings_ms == {}
    assert found.error == ""
    del record["question"]
    with pytest.raises(TypeError):
        from_plain(Message, record)


def test_a_message_is_replaced_where_it_stands(store: ConversationStore) -> None:
    numbers = [store.keep("a", message(question)) for question in ("one?", "two?")]
    store.replace(numbers[0], message("one again?"))
    assert [each.question for each in store.messages("a")] == ["one again?", "two?"]
    store.delete("a")
    store.replace(numbers[1], message("three?"))
    assert store.listed() == [], "what was deleted stays deleted"


def test_conversations_are_listed_renamed_and_deleted(store: ConversationStore) -> None:
    assert store.listed() == []
    assert not store.path.exists(), "made with the first answer"
    store.keep("one", message("First?  " + "and so on, " * 20))
    store.keep("two", message("Second\nquestion?"))
    store.keep("one", message("Third?"))
    titles = {each.id: each.title for each in store.listed()}
    assert [each.id for each in store.listed()] == ["one", "two"]
    assert [each.questions for each in store.listed()] == [2, 1]
    assert titles["one"].startswith("First? and so on,") and len(titles["one"]) <= MAX_TITLE
    assert titles["two"] == "Second question?"
    assert dt.datetime.fromisoformat(store.listed()[0].changed_at).utcoffset() == dt.timedelta(0)
    store.rename("two", " Sales ")
    assert store.listed()[1].title == "Sales"
    with pytest.raises(ConversationError, match="needs a title"):
        store.rename("two", "  ")
    store.delete("one")
    store.delete("one")
    assert [each.id for each in store.listed()] == ["two"]
    with pytest.raises(ConversationError, match="no such conversation"):
        store.messages("one")
    with pytest.raises(ConversationError, match="deleted meanwhile"):
        store.rename("one", "Lost")
    left = b"".join(path.read_bytes() for path in store.path.parent.glob("*"))
    assert b"Second" in left and b"Third?" not in left and b"and so on" not in left


def test_twenty_sessions_at_once_do_not_mix(store: ConversationStore) -> None:
    errors: list[Exception] = []
    together = threading.Barrier(20)

    def session(number: int) -> None:
        try:
            name = new_id()
            together.wait()
            for turn in range(4):
                store.keep(name, message(f"{number}-{turn}"))
            asked = [each.question for each in store.messages(name)]
            assert asked == [f"{number}-{turn}" for turn in range(4)]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=session, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert [each.questions for each in store.listed()] == [4] * 20
    assert store.path.stat().st_mode & 0o077 == 0, "questions are their asker's"


def test_a_file_that_cannot_be_used_is_one_sentence(store: ConversationStore) -> None:
    store.keep("one", message())
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE messages SET record = ?", (json.dumps({"question": 1}),))
    with pytest.raises(ConversationError, match="cannot be read"):
        store.messages("one")
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ConversationError, match="newer version of this program"):
        store.listed()
    for path in store.path.parent.glob("conversations*"):
        path.unlink()
    store.path.write_bytes(b"no database at all, but as long as a header would be " * 40)
    with pytest.raises(ConversationError, match="is damaged"):
        store.keep("two", message())


def test_a_change_that_sqlite_itself_rolled_back_says_why(tmp_path: Path) -> None:
    table = ("CREATE TABLE kept (name TEXT UNIQUE)",)
    file = SqliteFile(tmp_path / "x.sqlite", (table,), ConversationError)
    failed = pytest.raises(ConversationError, match="UNIQUE constraint failed")
    with failed, file.writing() as connection:
        for _ in range(2):
            connection.execute("INSERT OR ROLLBACK INTO kept VALUES ('a')")
    with file.reading() as connection:
        assert connection.execute("SELECT * FROM kept").fetchall() == []


def test_the_export_tells_everything_in_words_and_nothing_of_it_is_live() -> None:
    text = transcript_markdown("Quill & <sales>", [message(), message()])
    plain = text.replace("\\", "")
    assert plain.startswith("# Quill & <sales>\n\n## 1. What was Quill's revenue in 2023?")
    assert "## 2. What was" in text
    assert "Asked of: QUIL fiscal 2022 and 2023" in plain
    assert "no FY2021 10-K of QUIL" in plain
    assert "Revenue was \\$41 million [1], not \\$77 million [1]. \\<img src=x\\>" in text
    assert "- $41 million: in passage, passage 1: net sales" in plain
    assert "- $77 million: contradicted, passage 1: 41" in plain
    assert "- 9%: not found" in plain
    assert "**[1] Quill, Inc., 10-K fiscal 2023, period to 2023-12-31, Item 7, page 45**" in plain
    assert "> Net sales were \\$41 million." in text
    assert "> | Net sales | 41 |" in text
    assert "Risk" not in text, "not cited"
    assert "Answered by minilm at 128 dimensions, stand-in." in plain
    assert transcript_name("What was <revenue>?") == "what-was-revenue.md"
    assert transcript_name("???") == "conversation.md"


def filing(company: str, ticker: str, year: int, form: str = "10-K") -> Filing:
    end = dt.date(year, 12, 31)
    return Filing(company, form, year, end, sha256="0" * 64, source="x", ticker=ticker)


def test_examples_ask_of_what_is_there() -> None:
    quill = [filing("QUILL CORP", "QUIL", year) for year in (2021, 2023, 2022)]
    rest = [filing("Orrin, Inc.", "ORRN", 2022), filing("Tarn plc", "TARN", 2022)]
    assert example_questions([*rest, *quill]) == [
        "How did QUILL's revenue change from fiscal 2022 to fiscal 2023?",
        "Compare the gross margins of Orrin and Tarn in fiscal 2022.",
        "Which risks could hurt QUILL's business most?",
        "Which legal proceedings does Tarn report?",
    ]
    assert example_questions([filing("Orrin, Inc.", "ORRN", 2022, "10-Q")]) == [
        "Which risks could hurt Orrin's business most?",
        "What was Orrin's net income in its latest 10-Q?",
        "Which legal proceedings does Orrin report?",
    ]
    assert example_questions([]) == []
