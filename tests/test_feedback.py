"""What is marked in the chat: kept whole, by many at once, reviewed, exported, forgotten."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.rows import load_qa_rows
from rag_app.__main__ import main
from rag_app.chat import feedback_file
from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.feedback_pairs import accepted_pairs, feedback_pairs
from rag_app.chat.marks import Exchange, ShownPassage, exchange_of
from rag_app.errors import FeedbackError
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.library import Library
from rag_app.records import Answer, Citation, Filters

BACKLOG = "What was Larkspur's order backlog?"


def asked(name: str = "a", cited: Sequence[int] = (1,), passages: int = 3) -> Exchange:
    """An answer of made-up passages, of which some are cited."""
    return Exchange(
        id=name,
        question=f"What of {name}?",
        searched_for=f"What of {name}?",
        filters=Filters(ticker="LKSP", fiscal_year=2023),
        text=f"This of {name} [1].",
        model="minilm",
        dim=64,
        llm="none",
        passages=tuple(
            ShownPassage(
                number=number,
                chunk_id=f"LKSP_10-K_2023-12-31:1:{number}-9",
                cited=number in cited,
                cosine=0.5,
                filing="LKSP_10-K_2023-12-31",
                accession="",
                item="1",
                start=number,
                end=9,
                ticker="LKSP",
                form="10-K",
                fiscal_year=2023,
                text=f"Passage {number} of {name}.",
            )
            for number in range(1, passages + 1)
        ),
    )


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "home")  # where RAG_HOME points to as well


def pairs_of(store: FeedbackStore) -> list[tuple[str, str, str]]:
    return [(p.question, p.passage.text, p.state) for p in feedback_pairs(store.marks())]


def test_a_mark_keeps_all_that_is_needed_to_learn_from_it(
    sample_home: Path, minilm: Embedder, store: FeedbackStore
) -> None:
    snapshot = open_snapshot(Library(sample_home), minilm, 384)
    filters = Filters(ticker="LKSP", fiscal_year=[2023])
    hits = FilingsRetriever(snapshot, filters=filters, k=3).retrieve(BACKLOG)
    first = hits[0].node
    citation = Citation(1, first.node_id, first.metadata["filing"], "1", first.get_content())
    answer = Answer("It was [1].", (citation,), (), tuple(hits), "minilm", 384, "none", {"w": 1.0})
    kept = exchange_of(BACKLOG, BACKLOG, filters, answer)

    store.mark(kept, "right-passage", hits[1].node.node_id)

    (mark,) = store.marks()
    assert mark.asked == kept
    assert (mark.asked.model, mark.asked.dim, mark.asked.filters) == ("minilm", 384, filters)
    assert [p.chunk_id for p in mark.asked.passages] == [hit.node.node_id for hit in hits]
    assert [p.cited for p in mark.asked.passages] == [True, False, False]
    (pair,) = accepted_pairs([mark])
    assert pair.row["ticker"] == "LKSP"
    assert pair.row["filing"] == "2023_10K"
    text = hits[1].node.get_content()
    assert pair.row["context"].endswith(text), "the passage's own words survive a new chunker"
    assert pair.row["context"] == f"{hits[1].node.metadata['prefix']}\n{text}"


def test_a_thumb_takes_the_other_back_and_saying_it_twice_is_once(store: FeedbackStore) -> None:
    first = store.mark(asked(), "up")
    assert store.mark(asked(), "up") == first
    store.mark(asked(), "down")
    assert store.said_of("a") == {("down", "")}
    store.take_back("a", "down")
    assert store.said_of("a") == set()
    assert store.marks() == []


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("sideways", "", "There is no mark sideways; known are up, down"),
        ("right-passage", "elsewhere:1:0-9", "was not shown for this question"),
        ("wrong-figure", " ", "needs what it is about"),
        ("up", "very", "says nothing else"),
    ],
)
def test_a_mark_that_says_nothing_is_refused(
    kind: str, value: str, sentence: str, store: FeedbackStore
) -> None:
    with pytest.raises(FeedbackError, match=sentence):
        store.mark(asked(), kind, value)  # type: ignore[arg-type]
    assert store.marks() == []


def test_which_marks_are_pairs_to_train_on(store: FeedbackStore) -> None:
    store.mark(asked("one cited"), "up")
    store.mark(asked("two cited", cited=(1, 3)), "up")
    store.mark(asked("bad"), "down")
    doubted = asked("doubted")
    store.mark(doubted, "up")
    store.mark(doubted, "wrong-figure", "$77 million")
    edited = asked("edited")
    store.mark(edited, "right-passage", edited.passages[1].chunk_id)
    store.mark(edited, "edited-question", "What else of it?")

    assert pairs_of(store) == [
        ("What of one cited?", "Passage 1 of one cited.", "accepted"),
        ("What of two cited?", "Passage 1 of two cited.", "waiting"),
        ("What of two cited?", "Passage 3 of two cited.", "waiting"),
        ("What of doubted?", "Passage 1 of doubted.", "waiting"),
        ("What else of it?", "Passage 2 of edited.", "accepted"),
    ]


def test_a_rejected_pair_stays_out_though_another_mark_speaks_for_it(store: FeedbackStore) -> None:
    first = asked("a")
    again = Exchange(**{name: getattr(first, name) for name in Exchange.__slots__} | {"id": "b"})
    number = store.mark(first, "right-passage", first.passages[0].chunk_id)
    store.mark(again, "right-passage", first.passages[0].chunk_id)
    assert len(accepted_pairs(store.marks())) == 1
    store.review({(number, 1): False})
    assert accepted_pairs(store.marks()) == []


def test_twenty_sessions_at_once_lose_nothing(store: FeedbackStore) -> None:
    errors: list[Exception] = []
    together = threading.Barrier(20)

    def session(number: int) -> None:
        try:
            together.wait()
            for turn in range(5):
                one = asked(f"{number}-{turn}")
                store.mark(one, "up")
                store.mark(one, "right-passage", one.passages[2].chunk_id)
                assert store.said_of(one.id) == {
                    ("up", ""),
                    ("right-passage", one.passages[2].chunk_id),
                }
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=session, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(store.marks()) == 200
    assert not list(store.path.parent.glob("*.part"))


def test_a_writer_that_is_killed_leaves_a_file_that_reads(store: FeedbackStore) -> None:
    store.mark(asked(), "up")
    script = (
        "import os, sys; from pathlib import Path\n"
        "from rag_app.chat.feedback_file import writing\n"
        "with writing(Path(sys.argv[1])) as connection:\n"
        "    connection.execute('DELETE FROM answers')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(store.path)], capture_output=True)
    assert done.returncode == -9
    assert [mark.kind for mark in store.marks()] == ["up"]


def test_an_older_file_is_brought_up_to_date_and_a_newer_one_refused(
    store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.mark(asked(), "up")
    more = (*feedback_file.MIGRATIONS, ("ALTER TABLE answers ADD COLUMN tag TEXT DEFAULT 'x'",))
    monkeypatch.setattr(feedback_file, "MIGRATIONS", more)
    assert [mark.kind for mark in store.marks()] == ["up"]
    with feedback_file.reading(store.path) as connection:
        assert connection.execute("SELECT tag FROM answers").fetchone()["tag"] == "x"
    monkeypatch.undo()
    with pytest.raises(FeedbackError, match="written by a newer version"):
        store.marks()


def test_a_damaged_file_is_one_sentence(
    store: FeedbackStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(b"no database at all, but as long as a header would be " * 40)
    assert main(["feedback", "list"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "is damaged (file is not a database); move it away" in line


def test_export_is_what_training_reads(
    store: FeedbackStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = asked("one")
    store.mark(one, "right-passage", one.passages[1].chunk_id)
    store.mark(asked("two", cited=(1, 2)), "up")
    out = tmp_path / "pairs.jsonl"

    assert main(["feedback", "export", str(out)]) == 0
    assert capsys.readouterr().out.startswith("1 pairs in ")
    (row,) = load_qa_rows(str(out))
    assert (row.question, row.context) == ("What of one?", "Passage 2 of one.")
    assert (row.ticker, row.filing) == ("LKSP", "2023_10K")


def test_review_shows_what_waits_and_keeps_what_is_decided(
    store: FeedbackStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.mark(asked("two", cited=(1, 3)), "up")
    assert main(["feedback", "review"]) == 0
    shown = capsys.readouterr().out
    assert "1.1  What of two?" in shown
    assert "1.3  What of two?" in shown
    assert main(["feedback", "review", "--accept", "1.3", "--reject", "1.1"]) == 0
    assert capsys.readouterr().out == "1 pairs accepted, 1 rejected.\n"
    assert [pair.id for pair in accepted_pairs(store.marks())] == ["1.3"]
    assert main(["feedback", "review", "--accept", "1"]) == 0, "a mark stands for all its pairs"
    assert [pair.id for pair in accepted_pairs(store.marks())] == ["1.1", "1.3"]


def test_list_tells_the_state_of_each_pair(
    store: FeedbackStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.mark(asked("two", cited=(1, 3)), "up")
    store.mark(asked("bad"), "wrong-figure", "$77 million")
    assert main(["feedback", "list"]) == 0
    shown = capsys.readouterr().out
    assert "the answer is good (waiting, waiting)" in shown
    assert "this figure is wrong: $77 million" in shown
    assert "2 marks in " in shown
    assert "0 accepted, 2 waiting, 0 rejected" in shown
    assert main(["feedback", "list", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["asked"]["passages"][2]["text"] == "Passage 3 of two."
    assert first["pairs"] == [{"id": "1.1", "state": "waiting"}, {"id": "1.3", "state": "waiting"}]
    assert second["pairs"] == []


def test_what_is_forgotten_is_gone_from_the_disk(
    store: FeedbackStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.mark(asked("a secret question"), "up")
    number = store.mark(asked("kept"), "up")
    assert main(["feedback", "forget", "1"]) == 0
    assert [mark.id for mark in store.marks()] == [number]
    left = b"".join(path.read_bytes() for path in store.path.parent.glob("feedback*"))
    assert b"kept" in left
    assert b"a secret question" not in left
    assert main(["feedback", "forget", "--all"]) == 0
    assert store.marks() == []
    with sqlite3.connect(store.path) as connection:
        for table in ("answers", "passages", "reviews"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["export", "x.jsonl"], "None of 0 marks is an accepted pair"),
        (["forget"], "Name the marks to forget by their ids, or give --all"),
        (["forget", "3", "--all"], "one of the two"),
        (["forget", "7"], "There is no mark 7"),
        (["review", "--accept", "3.1"], "There is no pair 3.1"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line


def test_help_tells_what_becomes_a_pair(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["feedback", "--help"])
    assert stopped.value.code == 0
    assert "finetune --from-feedback" in capsys.readouterr().out
