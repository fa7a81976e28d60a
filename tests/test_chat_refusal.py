"""Refusals: names and years that the filings lack, the weighing, and what is said then."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hashed import SPEC, HashedEmbedder, small_library
from llm_standin import StandIn, llm_standin

from rag_app.answer import Reply
from rag_app.chat.llm import ChatLLM
from rag_app.chat.prompts import REFUSAL
from rag_app.chat.refusal import (
    REFUSAL_FILE,
    Calibration,
    Evidence,
    evidence_of,
    load_calibration,
    names_in,
    refusal_path,
)
from rag_app.errors import ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters

CALIBRATION = Calibration(
    fingerprint=SPEC.fingerprint,
    weights={"cosine": 4.0, "lead": 2.0, "absent_names": -3.0, "later_years": -3.0},
    intercept=0.0,
    refuse_below=0.4,
    source="by hand",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return small_library(tmp_path_factory.mktemp("refusal"))


@pytest.fixture
def calibrated(library: Library, tmp_path: Path) -> Snapshot:
    """The library served by a model with a calibration beside its weights."""
    record = json.dumps(dataclasses.asdict(CALIBRATION))
    (tmp_path / REFUSAL_FILE).write_text(record, "utf-8")
    embedder: Embedder = HashedEmbedder(dataclasses.replace(SPEC, folder=tmp_path))
    return open_snapshot(library, embedder, 16)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How much revenue did the Radeon graphics cards bring in?", ["Radeon"]),
        ("How many H200 accelerators and iPhone 16 Pro phones?", ["H200", "iPhone", "Pro"]),
        ("What was revenue in fiscal 2023? Where is the plant?", []),
        ("how large is the backlog", []),
        ("What does Medtronic's A800 cost per day?", ["Medtronic", "A800"]),
    ],
)
def test_names_are_words_written_as_such(question: str, names: list[str]) -> None:
    assert names_in(question) == names


def evidence(snapshot: Snapshot, question: str, filters: Filters) -> Evidence:
    hits = FilingsRetriever(snapshot, filters=filters, k=3).retrieve(question)
    return evidence_of(question, hits, snapshot, filters)


def test_absent_names_and_later_years_are_counted(calibrated: Snapshot) -> None:
    of_2023 = Filters(fiscal_year=2023)
    known = evidence(calibrated, "What was revenue of Quillfeather Pumps in 2023?", of_2023)
    assert (known.absent_names, known.later_years) == (0, 0)
    assert 0 < known.lead < known.cosine <= 1
    asked = "How many Radeon cards and Xeon chips did Quillfeather Pumps sell in 2027?"
    absent = evidence(calibrated, asked, of_2023)
    assert (absent.absent_names, absent.later_years) == (2, 1)
    earlier = evidence(calibrated, "What was revenue in 1999?", of_2023)
    assert (earlier.absent_names, earlier.later_years) == (1, 0)


def test_a_name_counts_as_held_only_in_the_filings_that_are_searched(calibrated: Snapshot) -> None:
    question = "Does it sell any Hydrants?"  # the product of another year
    held = [each for each in (2021, 2022, 2023) if "fire hydrants" in text_of(calibrated, each)]
    assert len(held) == 1
    for year in (2021, 2022, 2023):
        found = evidence(calibrated, question, Filters(fiscal_year=year))
        assert found.absent_names == (0 if year in held else 1)
    assert evidence(calibrated, question, Filters()).absent_names == 0


def text_of(snapshot: Snapshot, year: int) -> str:
    ids = snapshot.admitted_chunks(Filters(fiscal_year=year))
    return " ".join(snapshot.chunk(id_).text for id_ in ids)


def test_weak_evidence_is_refused_with_the_nearest_passages_and_no_llm(
    calibrated: Snapshot,
) -> None:
    with llm_standin(StandIn()) as standin:
        llm = ChatLLM("stand-in", standin.url, "", 10.0)
        retriever = FilingsRetriever(calibrated, k=3)
        refused = Reply("How many Radeon and Xeon chips were sold in 2027?", retriever, llm)
        assert "".join(refused).startswith(REFUSAL)
        assert standin.requests == []
        answered = Reply("How many Radeon and Xeon chips?", retriever, llm, refuse_below=0.0)
        assert REFUSAL not in "".join(answered)
        assert len(standin.requests) == 1
    assert refused.answer.llm == "none"
    assert refused.answer.citations, "the nearest passages are cited"
    assert refused.answer.hits
    quoted = refused.answer.text.splitlines()[2]
    assert quoted.startswith("- ")
    assert quoted.endswith("]")


def test_strong_evidence_is_answered_and_quotes_are_refused_too(calibrated: Snapshot) -> None:
    retriever = FilingsRetriever(calibrated, k=3)
    question = "A shortage of copper would raise what we pay for every unit of bilge pumps."
    assert REFUSAL not in "".join(Reply(question, retriever, None))
    weak = "".join(Reply("Radeon Xeon in 2027, Radeon?", retriever, None))
    assert weak.startswith(REFUSAL)


def test_a_model_without_a_calibration_of_its_own_refuses_nothing(
    library: Library, tmp_path: Path
) -> None:
    spec = dataclasses.replace(SPEC, folder=tmp_path)
    assert load_calibration(spec) is None
    other = dataclasses.replace(CALIBRATION, fingerprint="of another")
    refusal_path(spec).write_text(json.dumps(dataclasses.asdict(other)), "utf-8")
    assert load_calibration(spec) is None
    snapshot = open_snapshot(library, HashedEmbedder(spec), 16)
    reply = Reply("Radeon and Xeon in 2027?", FilingsRetriever(snapshot, k=3), None)
    assert REFUSAL not in "".join(reply)


@pytest.mark.parametrize("text", ["{", "[]", '{"weights": {}}', '{"fingerprint": 3}'])
def test_a_damaged_calibration_is_one_sentence(tmp_path: Path, text: str) -> None:
    spec = dataclasses.replace(SPEC, folder=tmp_path)
    refusal_path(spec).write_text(text, "utf-8")
    with pytest.raises(ModelError, match="python -m eval refusal --model hashed --fit --save"):
        load_calibration(spec)
