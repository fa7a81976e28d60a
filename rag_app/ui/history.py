"""The conversations in the sidebar: kept, opened again, renamed, exported and deleted."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rag_app.chat.conversations import MAX_TITLE, Conversation, ConversationStore, new_id
from rag_app.errors import RagError
from rag_app.ui import state
from rag_app.ui.markdown import written_markdown
from rag_app.ui.transcript import transcript_markdown, transcript_name

PARAMETER = "conversation"
"""In the page's address: a reload or a bookmark shows the same conversation."""
LIST_HEIGHT_PX = 260
SCROLLED = 6
"""Conversations from which on the list scrolls by itself."""


def restore() -> None:
    """Show the conversation that the address names, as after a reload or from a bookmark."""
    named, shown = st.query_params.get(PARAMETER, ""), state.conversation()
    if named == shown:
        return
    if not named:
        st.query_params[PARAMETER] = shown  # another page's address had none
        return
    try:
        state.show(named, _store().messages(named))
    except RagError as error:
        st.warning(written_markdown(str(error)))


def begin(question: state.Waiting) -> None:
    """Keep a question before it is answered: who loads the page anew meanwhile still has it."""
    if question.kept is None:
        with suppress(RagError):  # ``keep`` tries again, and says why that fails
            state.kept_as(_add(state.unanswered(question)))


def keep(message: state.Message) -> None:
    """End the waiting question with what it got, and keep both; if that fails the chat goes on."""
    question = state.waiting()
    state.answered(message)
    try:
        if question is None or question.kept is None:
            _add(message)
        else:
            _store().replace(question.kept, message)
    except RagError as error:
        st.toast(written_markdown(str(error)))


def _add(message: state.Message) -> int:
    """Put a message at the end of the conversation that is shown; its number among all."""
    name = state.conversation() or new_id()
    number = _store().keep(name, message)
    st.session_state["conversation"] = st.query_params[PARAMETER] = name
    return number


def draw(slot: DeltaGenerator) -> None:
    """Draw into the sidebar; after the answer, so that a new conversation is in the list."""
    with slot:
        st.button("New conversation", on_click=_begin, width="stretch")
        try:
            listed = _store().listed()
        except RagError as error:
            st.caption(written_markdown(f"Conversations are not kept. {error}"))
            return
        if not listed:
            return
        # What is in it is drawn while it is open only: there may be hundreds.
        # Its label must stay the same, or it would close with every change.
        box = st.expander("Conversations", key="conversations", on_change="rerun")
        if box.open:
            with box:
                _draw_list(listed)
        for current in listed:
            if current.id == state.conversation():
                _draw_current(current)


def _draw_list(listed: Sequence[Conversation]) -> None:
    scrolled = len(listed) > SCROLLED
    with st.container(height=LIST_HEIGHT_PX if scrolled else "content", border=False, gap="xsmall"):
        for each in listed:
            title = written_markdown(each.title)
            shown = each.id == state.conversation()
            st.button(
                f"**{title}**" if shown else title,
                key=f"open-{each.id}",
                on_click=_open,
                args=[each.id],
                type="tertiary",
                help=f"{_counted(each)}, last on {_local(each.changed_at)}",
            )


def _draw_current(current: Conversation) -> None:
    """What can be done with the conversation that is shown."""
    box = st.popover(
        "This conversation", key=f"current-{current.id}", on_change="rerun", width="stretch"
    )
    if not box.open:
        return
    with box:
        st.text_input(
            "Title",
            current.title,
            max_chars=MAX_TITLE,
            key=f"title-{current.id}",
            on_change=_rename,
            args=[current.id],
        )
        st.download_button(
            "Export as Markdown",
            functools.partial(transcript_markdown, current.title, tuple(state.messages())),
            file_name=transcript_name(current.title),
            mime="text/markdown",
            on_click="ignore",
            width="stretch",
        )
        if st.session_state.get("deleting") != current.id:
            st.button("Delete", on_click=_ask_to_delete, args=[current.id], width="stretch")
            return
        st.warning(f"Delete this conversation with its {_counted(current)} for good?")
        with st.container(horizontal=True):
            st.button("Delete it", on_click=_delete, args=[current.id], type="primary")
            st.button("Keep it", on_click=_ask_to_delete, args=[""])


def _begin() -> None:
    state.start_over()
    st.query_params.pop(PARAMETER, None)


def _open(name: str) -> None:
    state.start_over()
    st.query_params[PARAMETER] = name  # shown by ``restore``


def _rename(name: str) -> None:
    try:
        _store().rename(name, str(st.session_state[f"title-{name}"]))
    except RagError as error:
        st.toast(written_markdown(str(error)))


def _ask_to_delete(name: str) -> None:
    st.session_state["deleting"] = name


def _delete(name: str) -> None:
    try:
        _store().delete(name)
    except RagError as error:
        st.toast(written_markdown(str(error)))
        return
    _begin()


def _store() -> ConversationStore:
    return ConversationStore(state.settings().home)


def _counted(each: Conversation) -> str:
    return f"{each.questions} question{'' if each.questions == 1 else 's'}"


def _local(utc: str) -> str:
    return dt.datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M")
