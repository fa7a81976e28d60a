"""The chat page: ask, read the streamed answer, open its sources."""

from __future__ import annotations

import logging

import streamlit as st

from rag_app.answer import Reply
from rag_app.chat.prompts import Turn
from rag_app.errors import RagError
from rag_app.index.retriever import FilingsRetriever
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.ui import sidebar, state
from rag_app.ui.conversation import draw_evidence, draw_message
from rag_app.ui.markdown import answer_markdown, written_markdown
from rag_app.ui.sidebar import Choice

INTERNAL = "Something went wrong inside the program; its log has the details. Ask again."


def page() -> None:
    """Draw the page from top to bottom."""
    st.set_page_config(page_title="Filings RAG", page_icon="📄", layout="centered")
    st.title("Chat with SEC filings")
    try:
        library = Library(state.settings().home)
        library.check_filters(Filters())
        choice = sidebar.draw(library)
    except RagError as error:
        st.error(str(error))
        return
    for message in state.messages():
        draw_message(message)
    if not state.messages():
        st.caption(f"Asking {choice.filters}. Every statement cites its passage.")
    question = st.chat_input("Ask about the filings")
    if question:
        state.messages().append(_ask(question, choice))


def _ask(question: str, choice: Choice) -> state.Message:
    """Answer a question on the page as its text comes; a failure becomes one sentence."""
    history = [
        Turn(message.searched_for, message.answer.text)
        for message in state.messages()
        if message.answer
    ]
    with st.chat_message("user"):
        st.markdown(written_markdown(question))
    searched_for = question
    with st.chat_message("assistant"):
        try:
            settings = state.settings()
            retriever = FilingsRetriever(
                state.snapshot(choice.model, choice.dim),
                filters=choice.filters,
                k=settings.k,
                lexical=settings.lexical,
            )
            reply = Reply(question, retriever, state.llm(), history)
            searched_for = reply.searched_for
            if searched_for != question:
                st.caption(f"Searched for: {written_markdown(searched_for)}")
            _stream(reply)
            draw_evidence(reply.answer)
            return state.Message(question, searched_for, reply.answer)
        except RagError as error:
            sentence = str(error)
        except Exception:
            logging.getLogger(__name__).exception("a question failed")
            sentence = INTERNAL
        st.error(sentence)
        return state.Message(question, searched_for, None, sentence)


def _stream(reply: Reply) -> None:
    """Show the text as it comes, then the checked text in its place."""
    box = st.empty()
    text = ""
    with st.spinner("Reading the filings ..."):
        for piece in reply:
            text += piece
            box.markdown(answer_markdown(text))
    box.markdown(answer_markdown(reply.answer.text))


page()
