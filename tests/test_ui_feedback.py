"""Thumbs and corrections under an answer, over the real sample library."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from test_ui_page import BACKLOG, ask, chat_home, home, page

from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.feedback_pairs import accepted_pairs

__all__ = ["chat_home", "home"]  # fixtures


def opened(at: AppTest) -> AppTest:
    """The page with the corrections of the last answer open."""
    key = str(at.feedback[-1].key).replace("thumb-", "correct-")
    at.session_state[key] = True
    return at.run()


@pytest.fixture
def store(home: Path) -> FeedbackStore:
    store = FeedbackStore(home)
    store.forget_all()
    return store


def test_a_thumb_is_kept_turned_and_taken_back(home: Path, store: FeedbackStore) -> None:
    at = ask(page(), BACKLOG)
    for value, kinds in ((1, ["up"]), (0, ["down"]), (None, [])):
        at.feedback[0].set_value(value).run()
        assert not at.exception
        assert [mark.kind for mark in store.marks()] == kinds
    at.feedback[0].set_value(1).run()
    (mark,) = store.marks()
    assert mark.asked.question == BACKLOG
    assert (mark.asked.model, mark.asked.dim) == ("minilm", 384)
    assert len(mark.asked.passages) == 5


def test_the_right_passage_is_one_tick_and_a_pair(home: Path, store: FeedbackStore) -> None:
    at = ask(page(), BACKLOG)
    assert not [box for box in at.checkbox if "Larkspur" in box.label], "drawn when opened"
    at = opened(at)
    passages = [box for box in at.checkbox if box.label.startswith("\\[")]
    assert len(passages) == 5
    passages[2].check().run()
    (pair,) = accepted_pairs(store.marks())
    assert pair.question == BACKLOG
    assert pair.passage.number == 3
    at = opened(at)
    [box for box in at.checkbox if box.label.startswith("\\[")][2].uncheck().run()
    assert store.marks() == []


def test_a_wrong_figure_is_kept(home: Path, store: FeedbackStore) -> None:
    at = opened(ask(page(), BACKLOG))
    next(box for box in at.checkbox if "94" in box.label).check().run()
    assert not at.exception
    (mark,) = store.marks()
    assert mark.kind == "wrong-figure"
    assert "94" in mark.value


def test_a_question_asked_again_in_other_words_is_kept(home: Path, store: FeedbackStore) -> None:
    at = ask(ask(page(), BACKLOG), "and in 2024?")
    meant = "What was Larkspur's order backlog at December 31, 2024?"
    at.text_input(key="edited-2").set_value(meant)
    at.button(key="again-2").click().run()
    assert not at.exception
    (mark,) = store.marks()
    assert (mark.kind, mark.value) == ("edited-question", meant)
    assert mark.asked.question == "and in 2024?"


def test_a_store_that_cannot_be_written_is_said_and_the_chat_goes_on(
    home: Path, store: FeedbackStore
) -> None:
    at = ask(page(), BACKLOG)
    for path in home.glob("feedback.sqlite*"):
        path.unlink()
    store.path.mkdir()
    try:
        at.feedback[0].set_value(1).run()
        assert not at.exception
        assert "cannot be" in at.toast[0].value
    finally:
        store.path.rmdir()
