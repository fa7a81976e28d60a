"""``eval stages``: it asks what is served, judges answers, and says where a gain is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from passages import hit, text_node
from sample_rows import SAMPLE, write_rows
from soft_prompt import write_prompted_model
from tiny_model import build_tiny_cross_encoder

from eval.__main__ import main
from eval.answers import BACKED, CITED, GOLD_FIGURES, REFUSED, judge_answer, pick
from eval.evalset import EvalSet
from eval.protocols import build_evalset
from eval.searches import STAGES
from eval.stage_report import fates
from eval.stages import StageRow
from eval.statistics import paired_difference
from eval.stored import AskedEmbedder, open_stored
from rag_app.answer import Reply
from rag_app.chat.citations import check_figures, cite
from rag_app.chat.prompts import REFUSAL
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.index.vectors import load_vectors, save_vectors
from rag_app.library import Library
from rag_app.records import Answer, Filters

QUESTIONS = str(SAMPLE / "questions.jsonl")
Stages = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with a second model, whose passages' vectors are minilm's own."""
    home = tmp_path_factory.mktemp("stages") / "home"
    shutil.copytree(sample_home, home)
    write_prompted_model(home / "models/prompted")
    library = Library(home)
    plain, prompted = (resolve_model(name, home).fingerprint for name in ("minilm", "prompted"))
    for key, version in library.versions().items():
        ids, vectors = load_vectors(library.vectors_path(key, version, plain))
        save_vectors(library.vectors_path(key, version, prompted), ids, vectors)
    return home


@pytest.fixture
def stages(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Stages:
    """Run the command on the two models at 64 dimensions and give its JSON."""
    monkeypatch.setenv("RAG_HOME", str(home))

    def run(*flags: str) -> dict[str, Any]:
        models = ["--model", "prompted", "--against", "minilm", "--dims", "64"]
        assert main(["stages", *models, "--json", *flags]) == 0
        record: dict[str, Any] = json.loads(capsys.readouterr().out)
        return record

    return run


def test_a_gain_that_fusion_hides_is_named(stages: Stages) -> None:
    hidden = stages("--data", QUESTIONS, "--no-answers", "--metric", "recall@10")
    assert [row["name"] for row in hidden["stages"]] == [*STAGES]
    dense, _, bm25, fused, _ = hidden["stages"]
    assert dense["interval"][0] > 0.1 and fused["interval"][0] <= 0 <= fused["interval"][1]
    assert (bm25["system"], bm25["difference"], bm25["base"]) == ("bm25", 0, bm25["tuned"])
    (said,) = hidden["fates"]
    assert said.startswith("At 64 the gain of dense (recall@10 +0.")
    assert "vanishes at fused (recall@10" in said and said.endswith("includes zero.")

    shown = stages("--data", QUESTIONS, "--answers", "3")
    lost = shown["stages"][3]["interval"][0] <= 0
    assert shown["fates"][0].startswith("At 64 ") and (" fused (" in shown["fates"][0]) == lost
    answers = {row["metric"]: row for row in shown["stages"][5:]}
    assert list(answers) == [CITED, GOLD_FIGURES, BACKED, REFUSED]
    assert answers[BACKED]["base"] == 1.0  # quotes are word for word
    assert (answers[CITED]["questions"], answers[REFUSED]["base"]) == (3, 0.0)


def test_a_configured_reranker_is_a_stage(
    stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_RERANKER", str(build_tiny_cross_encoder(tmp_path)))
    few = tmp_path / "few.jsonl"
    few.write_text("".join(Path(QUESTIONS).read_text("utf-8").splitlines(keepends=True)[:3]))
    found = stages("--data", str(few), "--no-answers", "--metric", "recall@10")["stages"]
    names = [row["name"] for row in found]
    assert names == ["dense", "rescored", "bm25", "fused", "reranked", "distinct"]
    assert found[4]["tuned"] != found[3]["tuned"]  # random weights lose what fusion had found


def test_what_is_asked_is_what_is_served(home: Path, minilm: Embedder) -> None:
    library = Library(home)
    asked = build_evalset("questions", QUESTIONS, home)
    questions = list(asked.queries.values())[::12]
    served = open_snapshot(library, minilm, 384)
    known = AskedEmbedder(minilm, home, questions)
    stored = open_stored(library, known, [384], asked.corpus, served.lexical)[384]
    assert stored.passport == served.passport
    for filters in (Filters(), Filters(ticker="BRWG")):
        for question in questions:
            for name, lexical in (("rescored", False), ("fused", True)):
                retriever = FilingsRetriever(
                    served, filters=filters, k=20, lexical=lexical, collapse=False
                )
                expected = [(found.node_id,) for found in retriever.retrieve(question)]
                assert STAGES[name].search(stored, filters, question) == expected
            words = [id_ for (id_,) in STAGES["bm25"].search(stored, filters, question)]
            assert len(words) == 20
            assert filters or words == [id_ for id_, _ in served.lexical.query(question, 20)]
            assert all(id_.startswith(filters.ticker or "") for id_ in words)
    replies = [Reply(questions[1], FilingsRetriever(each), None) for each in (served, stored)]
    assert "".join(replies[0]) == "".join(replies[1])
    assert replies[0].answer.citations == replies[1].answer.citations
    served.dense.close()


def test_filings_are_asked_with_and_without_the_filter(stages: Stages, tmp_path: Path) -> None:
    data, out = str(write_rows(tmp_path)), tmp_path / "new/stages.json"
    flags = ("--protocol", "filings", "--data", data, "--companies", "LKSP", "--out", str(out))
    record = stages(*flags, "--answers", "1")
    assert json.loads(out.read_text()) == record
    rows = record["stages"]
    assert [(row["name"], row["system"]) for row in rows[:10]] == [
        (name, system + narrow)
        for name, system in ((name, "bm25" if name == "bm25" else "64") for name in STAGES)
        for narrow in ("", "|filter")
    ]
    helped = [
        narrow["base"] - wide["base"]
        for wide, narrow in zip(rows[:10:2], rows[1:10:2], strict=True)
    ]
    assert min(helped) >= 0 and max(helped) > 0  # the right company's filter can only help
    answers = {row["metric"]: row for row in rows[10:]}
    # The rows have no reference answers, so there is no gold figure to look for.
    assert CITED in answers and REFUSED in answers and GOLD_FIGURES not in answers
    assert {(row["name"], row["system"]) for row in answers.values()} == {("answer", "64|filter")}
    assert answers[CITED]["questions"] == record["answered"] == 1
    assert record["llm"] == "none"
    assert len(record["fates"]) == 2


def answer_of(text: str) -> Answer:
    hits = [hit("Sales were $26,974 million in fiscal 2023."), hit("We lease a plant in Ohio.")]
    cited, citations = cite(text, hits)
    figures = check_figures(cited, citations)
    return Answer(cited, citations, figures, tuple(hits), "minilm", 64, "none")


def test_an_answer_is_judged_by_citation_figures_and_refusal() -> None:
    answer = answer_of("Sales were $27.0 billion, a margin of 57.1%. [1]")
    gold = text_node(answer.hits[0]).node_id
    reference = "$26,974 million, up from $16,675 million"
    assert judge_answer(answer, {gold: 1}, "Net sales were $27.0 billion.") == {
        CITED: 1.0,
        REFUSED: 0.0,
        GOLD_FIGURES: 1.0,
        BACKED: 0.5,
    }
    lease = text_node(answer.hits[1]).node_id
    assert judge_answer(answer, {lease: 1}, "")[CITED] == 0.0  # retrieved is not cited
    assert GOLD_FIGURES not in judge_answer(answer, {gold: 1}, "In Ohio.")
    exact = answer_of("Sales were $26,974 million. [1]")
    assert judge_answer(exact, {gold: 1}, reference)[GOLD_FIGURES] == 0.5
    refused = {CITED: 0.0, REFUSED: 1.0, GOLD_FIGURES: 0.0}
    assert judge_answer(answer_of(REFUSAL), {gold: 1}, reference) == refused
    assert judge_answer(None, {gold: 1}, reference) == refused


def test_the_answered_questions_are_spread_over_all() -> None:
    texts = {str(number): "?" for number in range(10)}
    asked = EvalSet("questions", texts, {}, {}, dict.fromkeys(texts, "A"))
    assert pick(asked, 4) == ["0", "2", "5", "7"]
    assert pick(asked, 40) == list(texts)


def row(name: str, gain: float, spread: float, metric: str = "ndcg@10") -> StageRow:
    """Twelve questions whose gains alternate about ``gain``."""
    base = {str(number): 0.0 for number in range(12)}
    tuned = {id_: gain + spread * (-1) ** int(id_) for id_ in base}
    difference = paired_difference(base, tuned, dict.fromkeys(base, "A"))
    return StageRow(name, "64", metric, 0.0, gain, difference, by_model=True)


def test_the_first_stage_that_loses_the_gain_is_named() -> None:
    dense, fused, cited = row("dense", 0.3, 0.1), row("fused", 0.2, 0.1), ("answer", CITED)
    noise = row(cited[0], 0.0, 0.5, metric=cited[1])
    backed = row("answer", -0.5, 0.1, metric=BACKED)  # not on the way
    assert "vanishes at answer (gold passage cited +0.0" in fates([dense, fused, backed, noise])[0]
    (said,) = fates([dense, row("fused", 0.0, 0.5), row(cited[0], 0.0, 0.5, metric=cited[1])])
    assert "vanishes at fused" in said and "answer" not in said
    assert "turns into a loss at fused" in fates([dense, row("fused", -0.2, 0.1)])[0]
    assert "survives up to fused" in fates([dense, fused, backed])[0]
    assert "no gain shows to begin with" in fates([row("dense", 0.0, 0.5), fused])[0]
    assert "tuning loses to begin with" in fates([row("dense", -0.3, 0.1), fused])[0]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "minilm"], "minilm would be held against itself; name a tuned model"),
        (["--protocol", "notebook"], "choose --protocol questions or filings"),
        (["--dims", "100"], "Model minilm has no dimension 100"),
        (["--answers", "0"], "use --no-answers"),
        (["--stock"], "--stock says nothing to stages"),
        (["--fold", "1/2"], "--fold says nothing to the protocol questions"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    flags: list[str],
    message: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home))
    command = ["stages", "--data", QUESTIONS, "--model", "prompted", "--against", "minilm"]
    assert main([*command, *flags]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1


def test_vectors_that_are_missing_are_said_with_the_command(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy, copy_function=lambda a, b: Path(b).hardlink_to(a))
    prompted = resolve_model("prompted", copy)
    next(copy.glob(f"filings/*/*/vectors/{prompted.fingerprint}.safetensors")).unlink()
    monkeypatch.setenv("RAG_HOME", str(copy))
    command = ["stages", "--data", QUESTIONS, "--model", "prompted", "--against", "minilm"]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "prompted has not encoded 1" in error
    assert "run `python -m rag_app index --model prompted`" in error
