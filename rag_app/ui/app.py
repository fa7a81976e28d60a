"""The chat page: ask, read the streamed answer, open its sources."""

from __future__ import annotations

import datetime as dt
import logging

import streamlit as st

from rag_app.answer import Reply
from rag_app.chat.prompts import Turn
from rag_app.errors import LLMError, RagError
from rag_app.index.retriever import FilingsRetriever, served_retriever
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.ui import conversation, history, sidebar, state
from rag_app.ui.answers import linked_markdown
from rag_app.ui.examples import example_questions
from rag_app.ui.feedback import draw_feedback
from rag_app.ui.llm_line import look_again
from rag_app.ui.markdown import answer_markdown, written_markdown
from rag_app.ui.opened import draw_opened
from rag_app.ui.sidebar import Choice
from rag_app.ui.state import Waiting

INTERNAL = "Something went wrong inside the program; its log has the details. Ask again."
NO_ANSWER = "(This question got no answer.)"


def page() -> None:
    """Draw the page from top to bottom."""
    st.set_page_config(page_title="Filings RAG", page_icon="📄", layout="centered")
    st.header("Chat with SEC filings", anchor=False)
    try:
        library = Library(state.settings().home)
        library.check_filters(Filters())
        kept = st.sidebar.container()
        choice = sidebar.draw(library)
    except RagError as error:
        st.error(written_markdown(str(error)))
        return
    draw_opened()
    history.restore()
    typed = st.chat_input("Ask about the filings")
    if typed:
        state.ask(typed)
    waiting = state.waiting()
    conversation.draw_messages(state.messages(), newest=not waiting)
    if waiting:
        history.begin(waiting)
        history.keep(_answer(waiting, choice))
    elif not state.messages():
        _welcome(library)
    history.draw(kept)


def _welcome(library: Library) -> None:
    filings = [stored.filing for stored in library.filings().values()]
    companies = {filing.company for filing in filings}
    st.markdown(
        f"{len(filings)} filings of {len(companies)} companies are here. Every statement in an "
        "answer cites its passage, and every figure is looked up in it."
    )
    with st.container(key="examples", gap="xsmall"):
        for example in example_questions(filings):
            st.button(
                written_markdown(example),
                on_click=state.ask,
                args=[example],
                type="tertiary",
                icon=":material/search:",
            )


def _answer(waiting: Waiting, choice: Choice) -> state.Message:
    """Answer a question on the page as its text comes; a failure becomes one sentence."""
    history = [
        # One that was left behind unanswered is still what the next question leans on.
        Turn(message.searched_for, message.answer.text if message.answer else NO_ANSWER)
        for message in state.messages()
    ]
    question = waiting.question
    conversation.draw_question(question)
    searched_for, asked = waiting.searched_for or question, None
    with st.chat_message("assistant", avatar=conversation.ASSISTANT):
        try:
            with st.spinner("Reading the filings ..."):
                reply = Reply(
                    question,
                    _retriever(choice),
                    state.llm(),
                    history,
                    auto_filter=choice.auto_filter and waiting.auto_filter,
                    searched_for=waiting.searched_for,
                    refuse_below=state.settings().refuse_below,
                )
                searched_for, asked = reply.searched_for, reply.asked
                conversation.draw_context(question, searched_for, asked)
                number = len(state.messages()) + 1
                conversation.draw_retry(question, searched_for, asked, number)
                _stream(reply, number)
            conversation.draw_evidence(reply.answer, number)
            message = state.Message(
                question, searched_for, asked.filters, reply.answer, asked=asked
            )
            draw_feedback(message)
            return message
        except RagError as error:
            if isinstance(error, LLMError):
                look_again()
            sentence, details = str(error), _details(error, choice)
        except Exception as error:
            logging.getLogger(__name__).exception("a question failed")
            sentence, details = INTERNAL, _details(error, choice)
        conversation.draw_error(sentence, details)
        conversation.draw_again(question, searched_for, len(state.messages()) + 1)
        return state.Message(question, searched_for, choice.filters, None, sentence, asked, details)


def _details(error: Exception, choice: Choice) -> str:
    """Which kind of failure, when and with what; no inner error's words: they may hold a key."""
    now = dt.datetime.now(dt.UTC)
    kind = type(error).__name__
    return f"{kind}, {now:%Y-%m-%d %H:%M:%S} UTC, {choice.model} at {choice.dim} dimensions"


def _retriever(choice: Choice) -> FilingsRetriever:
    snapshot = state.snapshot(choice.model, choice.dim)
    return served_retriever(snapshot, choice.settings, choice.filters)


def _stream(reply: Reply, number: int) -> None:
    """Show the text as it comes, then the checked text in its place."""
    box = st.empty()
    text = ""
    for piece in reply:
        text += piece
        box.markdown(answer_markdown(text))
    box.markdown(linked_markdown(reply.answer, number))


page()
