"""Questions from ingested filings: round trip, what is left out, and going on after a stop."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hashed import DIM, HashedEmbedder
from llm_standin import StandIn, llm_standin
from tiny import COVER, write_filing

from eval.rows import load_qa_rows
from finetune import questions_cli
from finetune.questions import (
    KEPT,
    NO_QUESTION,
    NOT_FOUND,
    REPEATED,
    Generator,
    question_in,
    tried_file,
    write_questions,
)
from rag_app.chat.llm import ChatLLM
from rag_app.cli import OK, USER, run
from rag_app.errors import DataError, LibraryError, LLMError, ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.records import CoverFlags, Filters
from rag_app.settings import load_settings


class Echo(tuple[str, ...]):
    """Answers with a question out of the passage's own words, as the last request holds it."""

    standin: StandIn

    def __iter__(self) -> Iterator[str]:
        passage = self.standin.requests[-1]["messages"][-1]["content"].rpartition("\n\n")[0]
        words = [word for word in passage.partition("\n")[2].split() if word.isalpha()]
        yield f"Sure!\n1. Question: What of {' '.join(words[:15])}"
        yield "? It is this: yes."


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with llm_standin(StandIn()) as answers:
        yield answers


TICKER, TOPICS = "QUIL", 12
SPEECH = ["makes", "sells", "rents", "repairs", "paints", "tests", "stores", "ships", "insures"]


def write_topics(path: Path, company: str = "Quillfeather Pumps, Inc.") -> Path:
    """A filing of twelve headings, each with a paragraph of words that stand nowhere else."""
    body = ["<p><b>Item 1. Business</b></p>"]
    for topic in range(TOPICS):
        name = chr(ord("a") + topic)
        words = " ".join(f"{name}{verb} the {verb}{name} part" for verb in SPEECH)
        body += [
            f"<p><b>Line {name.upper()}</b></p>",
            f"<p>Our {name}{name}{name} line {words}.</p>",
        ]
    cover = COVER.format(company=company, year=2023)
    path.write_text(f"{cover}{''.join(body)}</body></html>", "utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, minilm: Embedder) -> Path:
    """The filing of twelve topics, and one of another company."""
    folder = tmp_path_factory.mktemp("questions")
    other = write_filing(folder / "other.html", company="Vat & Co", product="vats")
    for path, ticker in ((write_topics(folder / "q.html"), TICKER), (other, "VAT")):
        flags = CoverFlags(ticker)
        ingest([path], Library(folder / "home"), minilm, 384, max_file_mb=1, flags=flags)
    return folder / "home"


@pytest.fixture(scope="module")
def snapshot(home: Path, minilm: Embedder) -> Snapshot:
    return open_snapshot(Library(home), minilm, 384)


@pytest.fixture
def generator(snapshot: Snapshot, standin: StandIn) -> Generator:
    standin.pieces = echo = Echo()
    echo.standin = standin
    return Generator(snapshot, ChatLLM("stand-in", standin.url, "", 5.0), load_settings(k=3))


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_kept_questions_are_rows_whose_context_is_the_served_chunk(
    generator: Generator, snapshot: Snapshot, standin: StandIn, tmp_path: Path
) -> None:
    out = tmp_path / "q.jsonl"
    told: list[int] = []
    tally = write_questions(
        generator, Filters(TICKER), out, n=3, on_asked=lambda tally: told.append(tally[KEPT])
    )
    kept, tried = lines(out), lines(tried_file(out))
    assert len(kept) == tally[KEPT] == told[-1] == 3
    assert len(tried) == tally.total() == len(standin.requests)
    passages = snapshot.library.passages()
    for line in kept:
        assert line["context"] == passages[line["chunk_id"]]
        assert line["question"].startswith("What of ")
        assert line["question"].endswith("?")
        # It did ask about this very passage.
        assert any(line["context"] in r["messages"][-1]["content"] for r in standin.requests)
    rows = load_qa_rows(str(out))
    assert {row.ticker for row in rows} == {TICKER}
    assert rows[0].filing.endswith("_10K")


def test_running_again_goes_on_and_asks_no_chunk_twice(
    generator: Generator, standin: StandIn, tmp_path: Path
) -> None:
    out = tmp_path / "q.jsonl"

    def stop(tally: Counter[str]) -> None:
        if tally[KEPT] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_questions(generator, Filters(TICKER), out, n=6, on_asked=stop)
    # As kill -9 may leave them: a half line, and a kept question that is not in the other file.
    tried = tried_file(out)
    tried.write_bytes(b"".join(tried.read_bytes().splitlines(keepends=True)[:-1]) + b'{"chu')
    with out.open("a") as file:
        file.write('{"question": "hal')
    before = len(standin.requests)

    tally = write_questions(generator, Filters(TICKER), out, n=6)

    assert tally[KEPT] == len(lines(out)) == 6
    kept = [line["chunk_id"] for line in lines(out)]
    asked = [line["chunk_id"] for line in lines(tried)]
    assert len(set(kept)) == 6
    assert len(set(asked)) == len(asked)
    assert set(kept) - set(asked) <= {kept[1]}
    assert tally.total() == len(standin.requests)
    passages = [request["messages"][-1]["content"] for request in standin.requests]
    assert len(set(passages)) == len(passages)
    # Enough are there: nothing is asked.
    assert before < len(passages)
    write_questions(generator, Filters(TICKER), out, n=6)
    assert len(standin.requests) == len(passages)


def test_the_seed_decides_which_chunks_are_asked(generator: Generator, tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.jsonl"
        write_questions(generator, Filters(TICKER), out, n=2, seed=seed)
        found.append([line["chunk_id"] for line in lines(tried_file(out))])
    assert found[0] == found[1] != found[2]


def test_what_does_not_find_its_chunk_is_left_out_with_its_reason(
    generator: Generator, standin: StandIn, tmp_path: Path
) -> None:
    standin.pieces = ("What of the ccc line and the makesc part?",)
    out = tmp_path / "q.jsonl"
    tally = write_questions(generator, Filters(TICKER), out, n=10**6)
    # The best 3 hits of one question; but the first of them alone is kept, the others repeat it.
    assert tally[KEPT] == 1
    assert tally[NOT_FOUND] + tally[REPEATED] == tally.total() - 1
    assert tally[NOT_FOUND] > 0
    assert all(line["outcome"] != KEPT or line["question"] for line in lines(tried_file(out)))

    standin.pieces = ("Revenue rose.",)
    assert set(write_questions(generator, Filters(TICKER), tmp_path / "n", n=1)) == {NO_QUESTION}
    standin.pieces = ("What is the answer to this question?",)  # of any chunk, and of none
    assert set(write_questions(generator, Filters(TICKER), tmp_path / "v", n=1)) == {NO_QUESTION}
    standin.pieces = ("", " ")  # an empty answer does not end the run
    assert set(write_questions(generator, Filters(TICKER), tmp_path / "e", n=1)) == {NO_QUESTION}


def test_a_question_is_tried_in_its_own_filing_though_no_cover_gives_a_ticker(
    generator: Generator, tmp_path: Path
) -> None:
    library, embedder = Library(tmp_path / "home"), HashedEmbedder()
    companies = ("Quillfeather Pumps, Inc.", "Vat & Co")
    paths = [write_topics(tmp_path / f"{company[0]}.html", company) for company in companies]
    ingest(paths, library, embedder, DIM, max_file_mb=1)
    twins = dataclasses.replace(
        generator, snapshot=open_snapshot(library, embedder, DIM), settings=load_settings(k=1)
    )
    for company in companies:
        tally = write_questions(twins, Filters(company), tmp_path / f"{company}.jsonl", n=99)
        assert tally == {KEPT: TOPICS}


def test_a_failing_llm_ends_the_run_and_what_was_kept_stays(
    generator: Generator, standin: StandIn, tmp_path: Path
) -> None:
    out = tmp_path / "q.jsonl"

    def fail(tally: Counter[str]) -> None:
        standin.status = 500 if tally[KEPT] == 2 else 200

    with pytest.raises(LLMError, match="status 500"):
        write_questions(generator, Filters(TICKER), out, n=4, on_asked=fail)
    assert len(lines(out)) == 2
    standin.status = 200
    assert write_questions(generator, Filters(TICKER), out, n=4)[KEPT] == 4


def test_a_question_is_tried_with_the_search_that_serves(
    generator: Generator, tmp_path: Path
) -> None:
    with_reranker = load_settings(k=3, reranker=str(tmp_path / "nowhere"))
    told = dataclasses.replace(generator, settings=with_reranker)
    with pytest.raises(ModelError, match="There is no reranker at"):
        write_questions(told, Filters(TICKER), tmp_path / "q.jsonl", n=1)


def test_what_cannot_be_used_is_refused(generator: Generator, tmp_path: Path) -> None:
    out = tmp_path / "q.jsonl"
    out.write_text('{"question": "mine"}\n')
    with pytest.raises(DataError, match=r"choose another --out"):
        write_questions(generator, Filters(TICKER), out, n=1)
    with pytest.raises(LibraryError, match="No filing in the library matches"):
        write_questions(generator, Filters("NONE"), tmp_path / "b.jsonl", n=1)


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("What was Acme's revenue in 2023?", "What was Acme's revenue in 2023?"),
        ("Sure:\n\n1) **What was Acme's net revenue?** It", "What was Acme's net revenue?"),
        ('Question 1: "Which states does Acme serve?"', "Which states does Acme serve?"),
        ("2023 revenue of Acme was how much?", "2023 revenue of Acme was how much?"),
        ("Acme earned $4.", ""),
        ("Why so?", ""),
        ("What does the passage say about Acme?", ""),
        (" ".join(["word"] * 41) + "?", ""),
        ("", ""),
        ("?", ""),
    ],
)
def test_the_question_in_an_answer(answer: str, question: str) -> None:
    assert question_in(answer) == question


def command(home: Path, monkeypatch: pytest.MonkeyPatch, *flags: str) -> int:
    monkeypatch.setenv("RAG_HOME", str(home))
    monkeypatch.setenv("RAG_MODEL", "minilm")
    parser = argparse.ArgumentParser()
    questions_cli.add_command(parser.add_subparsers())
    args = parser.parse_args(["questions", *flags])
    return run(args.act, args)


def test_the_command_writes_beside_the_library(
    generator: Generator,
    standin: StandIn,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(home, monkeypatch, "--ticker", TICKER) == USER
    assert "none is configured; set OPENAI_BASE_URL" in capsys.readouterr().err

    monkeypatch.setenv("OPENAI_BASE_URL", standin.url)
    assert command(home, monkeypatch, "--ticker", TICKER.lower(), "--n", "2") == OK
    out = home / "questions" / f"{TICKER}.jsonl"
    assert len(lines(out)) == 2
    assert f"2 questions kept of {len(standin.requests)} chunks asked" in capsys.readouterr().out
    # The whole filing has fewer.
    assert command(home, monkeypatch, "--ticker", TICKER, "--n", "9999") == OK
    assert "fewer than 9999" in capsys.readouterr().err
