"""What models were trained on, and a promotion that does not rest on it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tiny_model import build_tiny_model, run, settings, write_rows

from eval.protocols.grouped import grouped_evalset
from eval.rows import QaRow
from finetune.ground import MIN_UNSEEN, Ground, common_ground
from finetune.promote import promote
from finetune.seen import SEEN_FILE, Exam, Record, Seen, record_of, seen_by, write_record
from rag_app.errors import ModelError, TrainingError
from rag_app.index.models import resolve_model
from rag_app.index.served import TUNED_MINILM, serve, served_model

HELD_OUT = {"NVDA", "AAPL", "MSFT", "META", "TSLA"}


def row(id_: str, company: str, question: str, context: str) -> QaRow:
    return QaRow(id_, question, "", context, company, "2023_10K")


def exam(questions: int, companies: int = 10, *, by_company: bool = True) -> Exam:
    """Question n is of company n modulo ``companies`` and has the mark ``m n``."""
    return Exam(
        {str(n): f"C{n % companies}" for n in range(questions)},
        {str(n): frozenset({f"m{n}"}) for n in range(questions)},
        by_company,
    )


def ground(tested: Exam, own: Seen, serving: Seen) -> Ground:
    record = Record(own, tested)
    return common_ground(frozenset(tested.groups), record, serving, now="old", name="new")


def test_a_question_is_known_by_company_by_its_words_or_by_its_passage(tmp_path: Path) -> None:
    rows = [
        row("1", "aa", "How many lamps?", "AA shipped 1 lamp."),
        row("2", "BB", "How many boots?", "BB shipped 2 boots."),
        row("3", "CC", "How many tents?", "CC shipped 3 tents."),
        row("4", "BB", "How many lamps?", "BB shipped 4 lamps."),
        row("5", "AA", "How many, LAMPS?", "AA had more."),
        row("6", "DD", "Which pianos?", "cc shipped 3 tents"),
        row("7", "DD", "How many boots?", "DD shipped 5 boots."),
    ]
    by_words = Exam.of(grouped_evalset(rows).only(["4", "5", "6", "7"]), by_company=False)
    seen = Seen.of(rows[:3])

    assert seen.companies == {"AA", "BB", "CC"}
    assert by_words.known_to(seen) == {"5", "6"}
    by_company = dataclasses.replace(by_words, by_company=True)
    assert by_company.known_to(seen) == {"4", "5", "6"}
    record = Record(seen, by_company)
    write_record(tmp_path, record)
    assert record_of(tmp_path) == record
    (tmp_path / SEEN_FILE).write_text('{"seen": 3}')
    with pytest.raises(TrainingError, match=r"seen\.json, which says what .* cannot be read"):
        record_of(tmp_path)


def test_questions_that_neither_saw_decide_where_enough_are_left() -> None:
    tested = exam(150)
    told = ground(tested, Seen(), Seen(frozenset({"C1", "C2"})))
    assert len(told.queries) == 120 >= MIN_UNSEEN
    assert told.note == "30 questions that old was trained on are left out."
    assert not told.barred
    # By words where the split is not by company.
    apart = dataclasses.replace(tested, by_company=False)
    assert ground(apart, Seen(), Seen(frozenset({"C1"}), frozenset({"m7"}))).queries == (
        frozenset(tested.groups) - {"7"}
    )
    assert ground(tested, Seen(), Seen()) == Ground(frozenset(tested.groups))


def test_where_too_few_are_left_all_count_and_the_served_model_has_the_advantage() -> None:
    tested = exam(150)
    companies = frozenset(f"C{n}" for n in range(4))
    told = ground(tested, Seen(frozenset({"X1", "X2"})), Seen(companies | {"X1"}))
    assert len(told.queries) == 150
    assert not told.barred
    assert told.note == (
        "old was trained on 60 of these 150 questions or their companies, which favours it: new "
        "had the harder test. For an even one hold out companies that old has not seen: C4, C5, "
        "C6, C7, C8, C9, X2."
    )
    unknown = ground(tested, Seen(), Seen(known=False))
    assert len(unknown.queries) == 150
    assert "What old was trained on is not recorded" in unknown.note
    blind = ground(tested, Seen(known=False), Seen())
    assert blind == Ground(
        frozenset(tested.groups), "What the base of new was trained on is not recorded."
    )


def test_a_model_that_knew_its_test_is_barred() -> None:
    tested = exam(150)
    told = ground(tested, Seen(frozenset(f"C{n}" for n in range(8))), Seen())
    assert told.barred
    assert "new, or its base, was trained on 120 of its 150 test questions" in told.note
    # One in twenty of a small test is left out, no more.
    assert len(ground(exam(20), Seen(texts=frozenset({"m3"})), Seen()).queries) == 19


def test_the_shipped_model_has_seen_all_companies_but_those_of_the_filings() -> None:
    seen = seen_by(resolve_model(TUNED_MINILM, Path("nowhere")))
    assert seen.known
    assert len(seen.companies) > 60
    assert not seen.companies & HELD_OUT
    assert seen_by(resolve_model("minilm", Path("nowhere"))) == Seen()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small models: ``first`` was tested on Birch, ``other`` on Cobalt, and so was ``after``,
    whose base is ``first``, which was trained on Cobalt."""
    folder = tmp_path_factory.mktemp("seen")
    build_tiny_model(folder)
    write_rows(folder / "rows.csv")
    home = folder / "home"
    short = {"max_steps": 1, "evaluations": 0, "dev_share": 0.0}
    run(settings(folder, holdout=("BIRCH",), **short), home, "first")
    run(settings(folder, holdout=("COBALT",), **short), home, "other")
    base = str(home / "models/first")
    said = run(settings(folder, holdout=("COBALT",), **short | {"base": base}), home, "after")
    assert any(" was trained before on 10 of the 10 test questions" in told for told in said)
    serve(home, "first")
    return home


def test_a_model_that_is_judged_on_what_the_served_one_learned_says_so(home: Path) -> None:
    verdict = promote(home, "other")
    assert "first was trained on 10 of these 10 questions" in verdict.note
    assert verdict.note.endswith("that first has not seen: BIRCH.")
    assert verdict.note in str(verdict)
    kept = json.loads((home / "models/other/promotion.json").read_text("utf-8"))
    assert (kept["note"], kept["barred"]) == (verdict.note, False)


def test_a_model_whose_base_learned_its_test_is_not_promoted_however_good(home: Path) -> None:
    verdict = promote(home, "after")
    assert verdict.barred
    assert not verdict.promoted
    assert "goes on being served: after, or its base, was trained on 10 of its 10" in str(verdict)
    assert served_model(home) != "after"


def test_the_served_model_is_scored_by_what_scored_the_tuned_one(home: Path) -> None:
    path = home / "models/after/train_config.json"
    record = json.loads(path.read_text("utf-8"))
    assert record["run"]["encoder"] == "torch"
    record["run"]["encoder"] = "abacus"
    path.write_text(json.dumps(record), "utf-8")
    (home / "models/after/report_serving.json").unlink(missing_ok=True)
    (home / "models/after/report_base.json").unlink()
    with pytest.raises(ModelError, match="There is no encoder abacus"):
        promote(home, "after")
