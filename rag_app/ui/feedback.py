"""Under an answer: thumbs, and what to correct of it, kept for retraining."""

from __future__ import annotations

import streamlit as st

from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.marks import OPPOSITE, Kind, answer_id, exchange_of
from rag_app.chat.prompts import source_line
from rag_app.errors import RagError
from rag_app.library import Library
from rag_app.records import Answer
from rag_app.ui import state
from rag_app.ui.markdown import written_markdown

THUMBS: tuple[Kind, Kind] = ("down", "up")
"""As ``st.feedback`` numbers them."""
Said = set[tuple[Kind, str]]


def draw_feedback(message: state.Message) -> None:
    """Thumbs and a popover of corrections; an answer that failed has none.

    The popover's content is drawn while it is open only: a long conversation has many.
    """
    answer = message.answer
    if answer is None:
        return
    about = answer_id(message.question, message.searched_for, message.filters, answer)
    said = _said_of(about)
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"thumb-{about}"
        thumbs = [number for number, kind in enumerate(THUMBS) if (kind, "") in said]
        st.feedback(
            "thumbs",
            key=key,
            default=thumbs[0] if thumbs else None,
            on_change=_thumb,
            args=[message, about, key],
        )
        correct = st.popover(
            "Correct it", type="tertiary", key=f"correct-{about}", on_change="rerun"
        )
        if correct.open:
            with correct:
                _draw_corrections(message, answer, about, said)


def keep_edited_question(message: state.Message, question: str) -> None:
    """Keep what the asker made of the question that had been searched for."""
    if message.answer is None or not question or question == message.searched_for:
        return
    about = answer_id(message.question, message.searched_for, message.filters, message.answer)
    for kind, value in list(_said_of(about)):
        if kind == "edited-question":
            _say(message, about, (kind, value), wanted=False)
    _say(message, about, ("edited-question", question), wanted=True)


def draw_right_passage(message: state.Message, number: int) -> None:
    """One tick beside the hit of a number, from 1: it is the right passage for the question."""
    answer = message.answer
    assert answer is not None
    about = answer_id(message.question, message.searched_for, message.filters, answer)
    mark: tuple[Kind, str] = ("right-passage", answer.hits[number - 1].node.node_id)
    _toggle(f"Passage {number} is the right one", message, about, mark, _said_of(about))


def _draw_corrections(message: state.Message, answer: Answer, about: str, said: Said) -> None:
    st.markdown("**Which passage is the right one?**")
    for number, hit in enumerate(answer.hits, start=1):
        chunk_id = hit.node.node_id
        _toggle(
            f"[{number}] {source_line(hit.node)}",  # type: ignore[arg-type]  # hits are text nodes
            message,
            about,
            ("right-passage", chunk_id),
            said,
        )
    figures = dict.fromkeys(figure.text for figure in answer.figures)
    if figures:
        st.markdown("**Which figure is wrong?**")
        for figure in figures:
            _toggle(figure, message, about, ("wrong-figure", figure), said)


def _toggle(
    label: str, message: state.Message, about: str, mark: tuple[Kind, str], said: Said
) -> None:
    key = f"{mark[0]}-{about}-{mark[1]}"
    st.checkbox(
        written_markdown(label),
        value=mark in said,
        key=key,
        on_change=_ticked,
        args=[message, about, mark, key],
    )


def _thumb(message: state.Message, about: str, key: str) -> None:
    chosen = st.session_state[key]
    kind = THUMBS[0 if chosen is None else chosen]
    if chosen is None:
        for one in OPPOSITE:
            _say(message, about, (one, ""), wanted=False)
    else:
        _said_of(about).discard((OPPOSITE[kind], ""))
        _say(message, about, (kind, ""), wanted=True)


def _ticked(message: state.Message, about: str, mark: tuple[Kind, str], key: str) -> None:
    _say(message, about, mark, wanted=bool(st.session_state[key]))


def _say(message: state.Message, about: str, mark: tuple[Kind, str], *, wanted: bool) -> None:
    """Keep a mark or take it back; a failure is a sentence that goes by, and the chat goes on."""
    store = FeedbackStore(state.settings().home)
    try:
        if wanted:
            assert message.answer is not None
            filings = Library(state.settings().home).filings()
            exchange = exchange_of(
                *(message.question, message.searched_for, message.filters, message.answer),
                {key: stored.filing.accession for key, stored in filings.items()},
            )
            store.mark(exchange, *mark)
            _said_of(about).add(mark)
        else:
            store.take_back(about, *mark)
            _said_of(about).discard(mark)
    except RagError as error:
        st.toast(written_markdown(str(error)))


def _said_of(about: str) -> Said:
    """The marks of an answer: read from the store once a session, then kept."""
    known: dict[str, Said] = st.session_state.setdefault("said", {})
    if about not in known:
        try:
            known[about] = FeedbackStore(state.settings().home).said_of(about)
        except RagError:  # said when something is marked; the page goes on
            known[about] = set()
    return known[about]
