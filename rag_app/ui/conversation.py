"""Drawing messages: the answer, its figures, and the sources under it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from llama_index.core.schema import TextNode

from rag_app.answer import QUOTE_MODE
from rag_app.index.asked import Asked
from rag_app.records import Answer
from rag_app.render import figure_badges, figure_warning
from rag_app.ui import state
from rag_app.ui.answers import answer_statements, cited_by, linked_markdown
from rag_app.ui.feedback import draw_feedback, keep_edited_question
from rag_app.ui.markdown import written_markdown
from rag_app.ui.opened import draw_passage
from rag_app.ui.passages import supporting
from rag_app.ui.state import Message

# The page keeps to its end: taller sources would push their own first passage out of sight.
SOURCES_HEIGHT_PX = 460
RECENT, EARLIER = 4, 10
"""Questions that are drawn at first, and that a click adds."""
USER, ASSISTANT = ":material/person:", ":material/description:"


def draw_messages(messages: Sequence[Message], *, newest: bool) -> None:
    """The end of a conversation, and a button for what came before: a rerun draws every message
    anew, and must not take longer the longer one talks.

    ``newest`` tells whether the last message is the newest: no question waits behind it.
    """
    hidden = max(0, len(messages) - _drawn(len(messages)))
    if hidden:
        st.button(
            f"Show earlier questions ({hidden})",
            on_click=_draw_more,
            args=[len(messages)],
            type="tertiary",
            icon=":material/expand_less:",
        )
    for number, message in enumerate(messages[hidden:], start=hidden + 1):
        draw_message(message, number, newest=newest and number == len(messages))


def _drawn(count: int) -> int:
    """How many of ``count`` messages are drawn; with the next question it is the last few again."""
    asked_for: tuple[int, int] = st.session_state.get("drawn", (0, 0))
    return asked_for[1] if asked_for[0] == count else RECENT


def _draw_more(count: int) -> None:
    st.session_state["drawn"] = (count, _drawn(count) + EARLIER)


def draw_again(question: str, searched_for: str, number: int) -> None:
    """A button that asks what got no answer once more, in the words that were searched."""
    st.button(
        "Ask again",
        key=f"failed-{number}",
        on_click=state.ask,
        args=[question, searched_for if searched_for != question else ""],
        icon=":material/refresh:",
    )


def draw_error(sentence: str, details: str) -> None:
    """Why there is no answer in one sentence, and folded what helps to find it in the log."""
    st.error(written_markdown(sentence))
    if details:
        with st.expander("Details", type="compact"):
            st.caption(written_markdown(details))


def draw_message(message: Message, number: int, *, newest: bool) -> None:
    """A question and what it got; the newest can be asked again in another way."""
    draw_question(message.question)
    with st.chat_message("assistant", avatar=ASSISTANT):
        draw_context(message.question, message.searched_for, message.asked)
        if newest:
            draw_retry(message.question, message.searched_for, message.asked, number)
        if message.answer is None:
            draw_error(message.error, message.details)
            if newest or message.error == state.UNANSWERED:
                draw_again(message.question, message.searched_for, number)
        else:
            st.markdown(linked_markdown(message.answer, number))
            draw_evidence(message.answer, number)
            draw_feedback(message)


def draw_question(question: str) -> None:
    """What the user asked."""
    with st.chat_message("user", avatar=USER):
        st.markdown(written_markdown(question))


def draw_context(question: str, searched_for: str, asked: Asked | None) -> None:
    """What was asked besides the words: the filters, the question that a follow-up became, and what
    the library lacks.
    """
    parts = []
    if asked and asked.filters:
        parts.append(f"Asked of {asked.says}" + (" (from the question)" if asked.by_itself else ""))
    if searched_for != question:
        parts.append(f"Searched for: {searched_for}")
    for line in [" · ".join(parts), *(asked.notes if asked else ())]:
        if line:
            st.caption(written_markdown(line))


def draw_retry(question: str, searched_for: str, asked: Asked | None, number: int) -> None:
    """Ways to ask the same again: without the filters of its words, or with other words."""
    by_itself = bool(asked and asked.by_itself)
    missing = bool(asked and asked.missing)
    edited = searched_for != question
    if not (by_itself or missing or edited):
        return
    with st.container(horizontal=True):
        if by_itself or missing:
            st.button(
                "Answer from other companies" if missing else "Search without this filter",
                key=f"unfiltered-{number}",
                on_click=state.ask,
                args=[question, searched_for if edited else "", False],
                type="tertiary",
            )
        if edited:
            with st.popover("Edit the question", type="tertiary"):
                st.text_input("Search for", searched_for, key=f"edited-{number}")
                st.button(
                    "Ask again",
                    key=f"again-{number}",
                    on_click=_ask_edited,
                    args=[question, number],
                )


def _ask_edited(question: str, number: int) -> None:
    edited = st.session_state[f"edited-{number}"].strip()
    if number <= len(state.messages()):  # else it is still being answered
        keep_edited_question(state.messages()[number - 1], edited)
    state.ask(question, edited)


def draw_evidence(answer: Answer, number: int) -> None:
    """Under an answer: figures that no source shows, the sources, and what produced it."""
    if warning := figure_warning(answer):
        st.warning(written_markdown(warning))
    if badges := figure_badges(answer):
        st.caption(written_markdown(" · ".join(badges)))
    draw_sources(answer, number)
    st.caption(written_markdown(_footer(answer)))


@st.fragment
def draw_sources(answer: Answer, number: int) -> None:
    """Every hit, the cited ones first. What is in it is drawn while it is open only: a long
    conversation has many, and opening one redraws nothing else.
    """
    cited = {citation.chunk_id: citation.marker for citation in answer.citations}
    label = f"Sources: {len(cited)} cited of {len(answer.hits)} found"
    sources = st.expander(label, key=f"sources-{number}", on_change="rerun")
    if not sources.open:
        return
    with sources, st.container(height=SOURCES_HEIGHT_PX, border=False):
        for hit in sorted(answer.hits, key=lambda hit: hit.node.node_id not in cited):
            assert isinstance(hit.node, TextNode)
            marker = cited.get(hit.node.node_id)
            said = [each.said for number, each in cited_by(answer) if number == marker]
            with st.container(border=True):
                draw_passage(hit, marker, supporting(hit.node, said))


def _footer(answer: Answer) -> str:
    parts = []
    if answer.figures:
        found = sum(figure.found for figure in answer.figures)
        parts.append(f"{found} of {len(answer.figures)} figures found in the cited passages")
    if bare := sum(each.bare for each in answer_statements(answer)):
        parts.append(counted(bare, "statement") + " without a source")
    if answer.unknown_markers:
        parts.append(counted(answer.unknown_markers, "marker") + " without a passage removed")
    parts.append(f"{answer.model} at {answer.dim} dimensions")
    parts.append("no LLM" if answer.llm == QUOTE_MODE else answer.llm)
    parts.append(f"{sum(answer.timings_ms.values()) / 1000:.1f} s")
    return " · ".join(parts)


def counted(count: int, noun: str) -> str:
    """``1 marker``, ``2 markers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
