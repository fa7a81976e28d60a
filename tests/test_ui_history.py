"""Conversations on the chat page, and what its sidebar says of models, stages and the LLM."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import streamlit as st
from reports import make_report
from streamlit.testing.v1 import AppTest
from test_ui_page import BACKLOG, ask, chat_home, home, texts

from eval.latency import Latency
from eval.summary import write_summary
from rag_app.chat.conversations import ConversationStore
from rag_app.chat.llm_status import LLMStatus, llm_trouble
from rag_app.index.embedder import Embedder
from rag_app.settings import load_settings
from rag_app.ui import app, history, state

__all__ = ["chat_home", "home"]  # fixtures
REVENUE = "What was Tessaline's revenue in 2024?"


@pytest.fixture(autouse=True)
def no_conversations(home: Path) -> Iterator[None]:
    yield
    for path in home.glob("conversations.sqlite*"):
        path.unlink()


def page(conversation: str = "") -> AppTest:
    at = AppTest.from_file(str(Path(app.__file__)), default_timeout=120)
    if conversation:
        at.query_params[history.PARAMETER] = conversation
    return at.run()


def named(at: AppTest) -> str:
    """The conversation in the page's address."""
    return str(at.query_params.get(history.PARAMETER, ""))


def questions(at: AppTest) -> list[str]:
    return [message.question for message in at.session_state["messages"]]


def opened(at: AppTest, key: str) -> AppTest:
    """The page with a part of it open, which is drawn then."""
    at.session_state[key] = True
    return at.run()


def test_a_reload_shows_the_conversation_and_sessions_do_not_mix(home: Path) -> None:
    one, other = ask(page(), BACKLOG), ask(page(), REVENUE)
    assert named(one) and named(other) and named(one) != named(other)
    again = page(named(one))
    assert questions(again) == questions(one.run()) == [BACKLOG]
    assert [m.value for m in again.markdown] == [m.value for m in one.markdown]
    assert not again.exception
    ask(again, "and in 2024?")
    assert "88.1 million" in texts(again), "what went before is known"
    assert questions(page(named(one))) == [BACKLOG, "and in 2024?"]
    assert questions(other.run()) == questions(page(named(other))) == [REVENUE]
    one.query_params.clear()  # as on the way back from another page
    assert named(one.run()) == named(again)


def left_unanswered(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page left before its answer: ``st.stop`` ends a run as a closed connection does."""
    with monkeypatch.context() as cut:
        cut.setattr("rag_app.answer.Reply.__iter__", lambda reply: st.stop())
        return ask(page(), BACKLOG)


def test_a_question_survives_a_page_that_is_left_before_its_answer(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = left_unanswered(monkeypatch)
    assert named(one) and one.session_state["waiting"]
    again = page(named(one))
    assert again.chat_message[0].markdown[0].value == BACKLOG
    assert again.error[0].value == state.UNANSWERED
    again.button(key="failed-1").click().run()
    assert (questions(again), len(again.error)) == ([BACKLOG, BACKLOG], 1)
    assert "94.6 million" in texts(again)

    one.run()  # the first page was still there after all: its question is kept once
    assert "94.6 million" in texts(one)
    kept = ConversationStore(home).messages(named(one))
    assert [bool(message.answer) for message in kept] == [True, True]


def test_a_question_that_another_one_interrupts_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = left_unanswered(monkeypatch)
    ask(at, REVENUE)
    assert at.button(key="failed-1"), "it can be asked again, though it is not the newest"
    shown = [(each.question, bool(each.answer)) for each in at.session_state["messages"]]
    assert shown == [(BACKLOG, False), (REVENUE, True)]
    kept = ConversationStore(home).messages(named(at))
    assert [(each.question, bool(each.answer)) for each in kept] == shown


def test_a_follow_up_leans_on_a_question_that_it_interrupts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ask(left_unanswered(monkeypatch), "and in 2024?")
    assert at.session_state["messages"][1].searched_for == BACKLOG.replace("2023", "2024")
    assert "88.1 million" in texts(at)


def test_conversations_are_listed_opened_renamed_and_deleted(home: Path) -> None:
    store = ConversationStore(home)
    at = page()
    assert at.sidebar.expander[0].label != "Conversations", "there is none"
    first = named(ask(at, BACKLOG))
    assert at.sidebar.expander[0].label == "Conversations", "at once"
    at = ask(page(), REVENUE)
    second = named(at)
    assert not [b for b in at.sidebar.button if b.key == f"open-{first}"], "drawn when opened"
    at = opened(at, "conversations")
    at.sidebar.button(key=f"open-{first}").click().run()
    assert (questions(at), named(at)) == ([BACKLOG], first)
    at = opened(at, f"current-{first}")
    at.sidebar.text_input(key=f"title-{first}").set_value("Order *backlog*").run()
    assert at.sidebar.button(key=f"open-{first}").label == "**Order \\*backlog\\***"
    assert [each.title for each in store.listed()] == [REVENUE, "Order *backlog*"]
    at.sidebar.download_button[0]
    next(b for b in at.sidebar.button if b.label == "Delete").click().run()
    assert "1 question for good?" in at.sidebar.warning[0].value
    next(b for b in at.sidebar.button if b.label == "Keep it").click().run()
    assert len(store.listed()) == 2 and not at.sidebar.warning
    next(b for b in at.sidebar.button if b.label == "Delete").click().run()
    next(b for b in at.sidebar.button if b.label == "Delete it").click().run()
    assert not at.exception
    assert (len(at.chat_message), named(at)) == (0, "")
    assert [each.id for each in store.listed()] == [second]
    gone = page(first)
    assert "no such conversation" in gone.warning[0].value
    assert gone.chat_input
    at.sidebar.button(key=f"open-{second}").click().run()
    next(b for b in at.sidebar.button if b.label == "New conversation").click().run()
    assert (len(at.chat_message), named(at)) == (0, "")


def test_a_damaged_file_is_one_sentence_and_the_chat_goes_on(home: Path) -> None:
    path = ConversationStore(home).path
    path.write_bytes(b"no database at all, but as long as a header would be " * 40)
    at = ask(page("abc"), BACKLOG)
    assert "is damaged" in at.warning[0].value
    assert "is damaged" in at.toast[0].value
    assert any("Conversations are not kept" in each.value for each in at.sidebar.caption)
    assert len(at.chat_message) == 2


def test_stages_are_switched_on_the_page(home: Path) -> None:
    at = page()
    at.sidebar.selectbox[1].set_value(64).run()
    ask(at, BACKLOG)
    at.sidebar.checkbox(key="lexical").uncheck().run()
    ask(at, BACKLOG)
    at.sidebar.checkbox(key="rescore").uncheck().run()
    ask(at, BACKLOG)
    fused, rescored, dense = (each.answer.hits for each in at.session_state["messages"])
    score_is_cosine = [
        all(abs(hit.score - hit.node.metadata["cosine"]) < 1e-3 for hit in hits)
        for hits in (fused, rescored, dense)
    ]
    assert score_is_cosine == [False, True, True]
    full = {hit.node.node_id: hit.score for hit in rescored}
    both = [hit for hit in dense if hit.node.node_id in full]
    assert both and all(abs(hit.score - full[hit.node.node_id]) > 1e-3 for hit in both)
    assert not [box for box in at.sidebar.checkbox if box.key == "rerank"], "none is configured"


def test_a_dimension_has_its_figures_beside_it(home: Path, minilm: Embedder) -> None:
    at = page()
    table = next(m.value for m in at.sidebar.markdown if m.value.startswith("| dim"))
    assert table.startswith("| dim | MB |")
    assert any("not measured here" in caption.value for caption in at.sidebar.caption)
    report = dataclasses.replace(
        make_report("minilm", 0.25), fingerprint=minilm.spec.fingerprint, queries=4
    )
    dims = sorted(name for name in report.metrics if name.isdigit())
    folder = home / "reports" / "mine"
    folder.mkdir(parents=True)
    try:
        write_summary([report], "ndcg@10", Latency({int(dims[0]): 0.25}, "made up"), folder)
        at.run()
        table = next(m.value for m in at.sidebar.markdown if m.value.startswith("| dim"))
        row = next(line for line in table.split("\n") if dims[0] in line).replace("*", "")
        value = report.metrics[dims[0]]["ndcg@10"]
        assert row.startswith(f"| {dims[0]} | {value:.3f} | 0.25 | ")
        assert any("report mine" in caption.value for caption in at.sidebar.caption)
        (folder / "summary.json").write_text("[]")
        assert any("write the report anew" in each.value for each in at.run().sidebar.caption)
        assert not at.exception
    finally:
        (folder / "summary.json").unlink()


def test_a_dead_llm_server_is_one_sentence_with_a_retry(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-quillfeather-0042")
    at = page()
    said = next(each.value for each in at.sidebar.caption if "cannot be reached" in each.value)
    assert "quillfeather" not in said
    with models_server(port, 200):
        at.sidebar.button(key="retry-llm").click().run()
        assert not [each for each in at.sidebar.caption if "cannot be" in each.value]
        assert not [each for each in at.sidebar.button if each.key == "retry-llm"]
    assert not at.exception


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "refused the key"), (429, "refuses more requests"), (503, "status 503"), (404, "")],
)
def test_a_server_that_refuses_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch, status: int, sentence: str
) -> None:
    with models_server(0, status) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        said = llm_trouble(load_settings())
    assert sentence in said
    assert bool(said) == bool(sentence)


def test_a_server_that_hangs_does_not_hold_the_page_up(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        settings = load_settings()
        assert LLMStatus(settings).trouble(wait_s=0.05) is None
        assert "does not answer" in llm_trouble(settings, timeout_s=0.1)


class models_server:
    """A server that answers every GET with one status."""

    def __init__(self, port: int, status: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output clean."""

        self._server = HTTPServer(("127.0.0.1", port), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
