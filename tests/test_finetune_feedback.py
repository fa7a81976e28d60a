"""Training on reviewed feedback: what is held out stays out, the rest is not drowned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_feedback import asked
from tiny_model import settings

from eval.rows import load_qa_rows
from finetune.__main__ import main
from finetune.feedback_rows import Feedback, feedback_for
from finetune.held_out import split_for
from finetune.leakage import leakage_report
from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.marks import Exchange
from rag_app.errors import DataError
from rag_app.index.models import resolve_model


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where RAG_HOME points to."""
    return tmp_path / "home"


def mark(home: Path, company: str, question: str, passage: str) -> None:
    """Mark a passage of a company as the right one."""
    one = asked(f"{company} {question}", passages=1)
    fields = {name: getattr(one, name) for name in Exchange.__slots__}
    about = one.passages[0]
    shown = {name: getattr(about, name) for name in type(about).__slots__}
    shown |= {"ticker": company, "text": passage}
    marked = Exchange(**fields | {"searched_for": question, "passages": (type(about)(**shown),)})
    FeedbackStore(home).mark(marked, "right-passage", about.chunk_id)


def test_held_out_companies_never_train_and_the_report_covers_the_rest(
    material: Path, home: Path
) -> None:
    config = settings(material, feedback_share=0.2)
    split = split_for(load_qa_rows(config.data), config)
    (tested,) = {row.ticker for row in split.test}
    (dev,) = {row.ticker for row in split.dev}
    trained = split.train[0].ticker
    mark(home, tested.upper(), "How many lamps did it ship?", "It shipped 7 lamps.")
    mark(home, dev, "How many lamps did it ship?", "It shipped 8 lamps.")
    mark(home, "", "How many lamps did it ship?", "It shipped 9 lamps.")
    mark(home, "ALIAS", "What of it?", f"2023 report. {split.test[3].context} More of it.")
    mark(home, trained, "How many lamps did it ship?", "It shipped 3 lamps.")

    feedback = feedback_for(split, home)

    assert [row.context for row in feedback.rows] == ["It shipped 3 lamps."]
    assert (feedback.held_out, feedback.unnamed) == (3, 1)
    leakage = leakage_report(feedback.added_to(split))
    assert leakage.train_rows == len(split.train) + 1
    assert leakage.test.companies == 0
    assert split.test[0].question not in {row.question for row in feedback.rows}


@pytest.mark.parametrize(
    ("pairs", "among", "repeats"), [(200, 6298, 8), (2000, 6298, 1), (800, 6298, 2), (0, 60, 0)]
)
def test_pairs_are_repeated_up_to_a_fifth_of_all_but_not_learned_by_heart(
    pairs: int, among: int, repeats: int, material: Path
) -> None:
    row = load_qa_rows(str(material / "rows.csv"))[0]
    assert Feedback((row,) * pairs).repeats(0.2, among=among) == repeats


def test_nothing_to_learn_from_is_one_sentence(material: Path, home: Path) -> None:
    config = settings(material)
    split = split_for(load_qa_rows(config.data), config)
    with pytest.raises(DataError, match=r"No feedback under .* is an accepted pair"):
        feedback_for(split, home)
    mark(home, split.test[0].ticker, "How many?", "So many.")
    with pytest.raises(DataError, match="0 reviewed pairs of feedback, 1 about what is held out"):
        feedback_for(split, home)


def test_the_command_trains_on_feedback_and_says_so(
    material: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = settings(material)
    split = split_for(load_qa_rows(config.data), config)
    trained = split.train[0].ticker
    mark(home, trained, "How many kettles in all?", f"{trained} shipped kettles in the year.")
    words = ["--from-feedback", "--data", config.data, "--base", config.base, "--max-steps", "2"]
    more = ["--batch-size", "8", "--set", "evaluations=1", "--out", "corrected", "--debug"]

    assert main([*words, *more]) == 0

    shown = capsys.readouterr()
    assert "1 reviewed pairs of feedback; each trains 8 times an epoch." in shown.err
    assert f"({len(split.train) + 1} training rows)" in shown.err
    assert "corrected" in shown.out
    folder = resolve_model("corrected", home).folder
    data = json.loads((folder / "train_config.json").read_text())["run"]["data"]
    assert (data["feedback_rows"], data["feedback_repeats"]) == (1, 8)
    assert data["pairs"] == len(split.train) + 8
    assert (
        "| feedback | 1 of the pairs were marked in the chat" in (folder / "README.md").read_text()
    )
    assert (folder / "promotion.json").exists(), "gated as usual"
