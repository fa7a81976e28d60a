"""Messages on the chat page: markers that open passages, bare statements, long conversations."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import streamlit as st
from llm_standin import StandIn, llm_standin
from passages import hit
from streamlit.testing.v1.element_tree import Block
from test_ui_page import BACKLOG, ask, chat_home, home, page, texts

from rag_app.answer import Reply
from rag_app.chat.citations import check_figures, cite
from rag_app.index import serving
from rag_app.index.build import is_current
from rag_app.index.embedder import Embedder
from rag_app.library import Library
from rag_app.records import Answer, Filters
from rag_app.sealed import writer_lock
from rag_app.ui import opened as opened_passage
from rag_app.ui import state
from rag_app.ui.answers import NO_SOURCE
from rag_app.ui.opened import show_passage

__all__ = ["chat_home", "home"]  # fixtures


def test_a_marker_opens_its_passage_with_what_supports_the_statement_lit(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ask(page(), BACKLOG)
    for link, opened in (("#passage-1-1", True), ("#passage-1-99", False), ("#passage-9-1", False)):
        monkeypatch.setattr(opened_passage, "draw_opened", functools.partial(show_passage, link))
        at.run()
        assert not at.exception
        shown = [caption.value.replace("\\", "") for caption in at.caption]
        assert ("What supports the statement best is highlighted." in shown) == opened
        assert any(said.startswith("Cited for: ") for said in shown) == opened
        lit = [m.value for m in at.markdown if ":yellow-background[**" in m.value]
        assert len(lit) == opened


def test_what_no_passage_supports_is_marked_and_counted(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Backlog was $94.6 million [1][9]. The board of directors likes whales."
    with llm_standin(StandIn(pieces=[text])) as answers:
        monkeypatch.setenv("OPENAI_BASE_URL", answers.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-quillfeather-0042")
        at = ask(page(), BACKLOG)
    assert f"likes whales.{NO_SOURCE}" in texts(at)
    assert "[9]" not in texts(at)
    assert "1 statement without a source · 1 marker without a passage removed" in texts(at)


def drawn(block: Block) -> int:
    """How many elements are drawn in a block of the page."""
    return sum(drawn(one) if isinstance(one, Block) else 1 for one in block.children.values())


def test_a_long_conversation_draws_no_more_than_its_last_messages(
    home: Path,
) -> None:
    at = page()
    hits = (hit("Orders rose to $5 million in 2023."), hit("Copper is short.")) * 2
    text, citations = cite("Orders rose to $5 million [1]. Copper is short [2].", hits)
    figures = check_figures(text, citations)

    def elements(count: int) -> int:
        """How many are drawn of a conversation of so many questions."""
        at.session_state["messages"] = [
            state.Message(
                f"Question {number}?",
                f"Question {number}?",
                Filters(),
                Answer(text, citations, figures, hits, "minilm", 384, "llm", {"all": number}),
            )
            for number in range(count)
        ]
        at.run()
        assert not at.exception
        return drawn(at.main)

    one, two = elements(1), elements(2)
    assert one < two, "an answer is drawn of elements"
    assert elements(100) == elements(50) <= two + 6 * (two - one), "only the last few are drawn"


def test_earlier_questions_are_a_click_away(home: Path) -> None:
    at = page()
    asked = [
        state.Message(f"Question {number}?", "", Filters(), None, "No.") for number in range(20)
    ]
    at.session_state["messages"] = asked
    shown: list[str] = []
    for first, label in ((16, "Show earlier questions (16)"), (6, "Show earlier questions (6)")):
        at.run()
        shown = [message.markdown[0].value for message in at.chat_message[::2]]
        assert shown == [f"Question {number}?" for number in range(first, 20)]
        next(button for button in at.main.button if button.label == label).click()
    at.run()
    assert len(at.chat_message) == 40
    at.session_state["messages"] = [*asked, asked[0]]
    assert len(at.run().chat_message) == 8, "with the next question the last few again"


def test_what_is_still_being_answered_can_be_asked_in_other_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ask(page(), BACKLOG)
    with monkeypatch.context() as streaming:
        streaming.setattr(Reply, "__iter__", lambda reply: st.stop())
        ask(at, "and in 2024?")
    assert len(at.session_state["messages"]) == 1
    at.text_input(key="edited-2").set_value("What was Tessaline's revenue in 2024?")
    at.button(key="again-2").click().run()
    assert not at.exception
    caption = at.chat_message[3].caption[0].value
    assert caption.endswith("Searched for: What was Tessaline's revenue in 2024?")


def test_a_page_that_answers_from_an_older_index_takes_the_new_one_once_it_can(
    home_copy: Path, home: Path, monkeypatch: pytest.MonkeyPatch, minilm: Embedder
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home_copy))
    monkeypatch.setattr(serving, "RETRY_S", 1e9)
    library = Library(home_copy)
    with writer_lock(home_copy):  # as an ingest holds it
        library.remove(max(library.versions()))
        at = ask(page(), BACKLOG)
    assert [said.value.startswith("Answering from an older index") for said in at.toast] == [True]
    ask(at, BACKLOG)
    assert not at.toast, "it is said once"
    assert not is_current(library, minilm.spec, 384)
    monkeypatch.setattr(serving, "RETRY_S", 0.0)
    ask(at, BACKLOG)
    assert is_current(library, minilm.spec, 384)
