"""Drawing messages: the answer, its figures, and the sources under it."""

from __future__ import annotations

import streamlit as st
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.answer import QUOTE_MODE
from rag_app.chat.prompts import source_line
from rag_app.index.asked import Asked
from rag_app.records import Answer
from rag_app.render import also_in, figure_badges, figure_warning
from rag_app.ui import state
from rag_app.ui.feedback import draw_feedback, keep_edited_question
from rag_app.ui.markdown import answer_markdown, written_markdown
from rag_app.ui.passages import passage_markdown, place_of
from rag_app.ui.state import Message

# The page keeps to its end: taller sources would push their own first passage out of sight.
SOURCES_HEIGHT_PX = 460
USER, ASSISTANT = ":material/person:", ":material/description:"


def draw_message(message: Message, number: int, *, newest: bool) -> None:
    """A question and what it got; the newest can be asked again in another way."""
    draw_question(message.question)
    with st.chat_message("assistant", avatar=ASSISTANT):
        draw_context(message.question, message.searched_for, message.asked)
        if newest:
            draw_retry(message.question, message.searched_for, message.asked, number)
        if message.answer is None:
            st.error(written_markdown(message.error))
        else:
            st.markdown(answer_markdown(message.answer.text))
            draw_evidence(message.answer)
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
    edited = searched_for != question
    if not (by_itself or edited):
        return
    with st.container(horizontal=True):
        if by_itself:
            st.button(
                "Search without this filter",
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
    keep_edited_question(state.messages()[number - 1], edited)
    state.ask(question, edited)


def draw_evidence(answer: Answer) -> None:
    """Under an answer: figures that no source shows, the sources, and what produced it."""
    if warning := figure_warning(answer):
        st.warning(written_markdown(warning))
    if badges := figure_badges(answer):
        st.caption(written_markdown(" · ".join(badges)))
    cited = {citation.chunk_id: citation.marker for citation in answer.citations}
    label = f"Sources: {len(cited)} cited of {len(answer.hits)} found"
    with st.expander(label), st.container(height=SOURCES_HEIGHT_PX, border=False):
        for hit in sorted(answer.hits, key=lambda hit: hit.node.node_id not in cited):
            _draw_source(hit, cited.get(hit.node.node_id))
    st.caption(written_markdown(_footer(answer)))


def _footer(answer: Answer) -> str:
    parts = []
    if answer.figures:
        found = sum(figure.found for figure in answer.figures)
        parts.append(f"{found} of {len(answer.figures)} figures found in the cited passages")
    parts.append(f"{answer.model} at {answer.dim} dimensions")
    parts.append("no LLM" if answer.llm == QUOTE_MODE else answer.llm)
    parts.append(f"{sum(answer.timings_ms.values()) / 1000:.1f} s")
    return " · ".join(parts)


def _draw_source(hit: NodeWithScore, marker: int | None) -> None:
    node = hit.node
    assert isinstance(node, TextNode)
    label = f"[{marker}]" if marker else "Not cited:"
    score = f"score {hit.score:.4f} · cosine {node.metadata['cosine']:.2f}"
    with st.container(border=True):
        st.markdown(f"**{written_markdown(f'{label} {source_line(node)}')}**")
        st.caption(written_markdown(f"{place_of(node)} · {score}{also_in(node)}"))
        st.markdown(passage_markdown(node))
