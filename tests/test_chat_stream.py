"""Streams that are no OpenAI protocol: each is one sentence, however far the answer came."""

from __future__ import annotations

import pytest
from llama_index.core.llms import ChatMessage
from llm_standin import StandIn, llm_standin

from rag_app.chat.llm import ChatLLM
from rag_app.errors import LLMError


@pytest.mark.parametrize(
    "garbled", [b"{broken", b"[]", b'{"choices": null}', b"\xff\xfe", b"[" * 9999]
)
def test_a_garbled_stream_is_one_sentence(garbled: bytes) -> None:
    with llm_standin(StandIn(garbled=garbled)) as answers:
        llm = ChatLLM("stand-in", answers.url, "key", timeout_s=10)
        with pytest.raises(LLMError, match=r"sent what is no answer \(\w+\); try again") as failed:
            list(llm.stream([ChatMessage(content="What was revenue?")]))
    assert "\n" not in str(failed.value)
