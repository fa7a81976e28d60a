"""The sidebar's line on the LLM: which one, and one sentence with a retry while it is away."""

from __future__ import annotations

import streamlit as st

from rag_app.chat.llm import describe_llm
from rag_app.chat.llm_status import LLMStatus
from rag_app.ui import state
from rag_app.ui.markdown import written_markdown


def draw_llm() -> None:
    """Draw it; a server that hangs holds the page up for a second at most."""
    st.subheader("LLM", anchor=False)
    settings = state.settings()
    st.caption(written_markdown(describe_llm(settings)))
    if settings.llm_kind != "openai":
        return
    status = _status(settings.openai_base_url)
    trouble = status.trouble()
    if trouble == "":
        return
    said = "It has not answered yet." if trouble is None else trouble
    st.caption(f":material/error: {written_markdown(said)}")
    st.button("Retry", key="retry-llm", on_click=status.forget)


def look_again() -> None:
    """Believe what was found of the server no longer, as when an answer failed."""
    _status(state.settings().openai_base_url).forget()


@st.cache_resource(show_spinner=False, max_entries=4)
def _status(url: str) -> LLMStatus:
    """One for all sessions."""
    return LLMStatus(state.settings())
