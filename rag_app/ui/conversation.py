"""Drawing messages: the answer, its figures, and the sources under it."""

from __future__ import annotations

import streamlit as st
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.prompts import source_line
from rag_app.filings.chunks import passage_text
from rag_app.records import Answer
from rag_app.render import figure_warnings
from rag_app.ui.markdown import answer_markdown, written_markdown
from rag_app.ui.state import Message


def draw_message(message: Message) -> None:
    """A question and what it got."""
    with st.chat_message("user"):
        st.markdown(written_markdown(message.question))
    with st.chat_message("assistant"):
        if message.searched_for != message.question:
            st.caption(f"Searched for: {written_markdown(message.searched_for)}")
        if message.answer is None:
            st.error(message.error)
        else:
            st.markdown(answer_markdown(message.answer.text))
            draw_evidence(message.answer)


def draw_evidence(answer: Answer) -> None:
    """Under an answer: figures that no source shows, the sources, and what produced it."""
    for warning in figure_warnings(answer):
        st.warning(written_markdown(warning))
    shown = [f"{figure.text} [{figure.marker}]" for figure in answer.figures if figure.found]
    if shown:
        st.caption("Figures found in the sources: " + written_markdown(", ".join(shown)))
    cited = {citation.chunk_id: citation.marker for citation in answer.citations}
    with st.expander(f"Sources ({len(cited)} cited, {len(answer.hits)} found)"):
        for hit in answer.hits:
            _draw_source(hit, cited.get(hit.node.node_id))
    seconds = sum(answer.timings_ms.values()) / 1000
    st.caption(
        written_markdown(
            f"{answer.model}, {answer.dim} dimensions, LLM {answer.llm}, {seconds:.1f} s"
        )
    )


def _draw_source(hit: NodeWithScore, marker: int | None) -> None:
    node = hit.node
    assert isinstance(node, TextNode)
    about = node.metadata
    label = f"[{marker}]" if marker else "not cited"
    heading = f" · {about['heading_path']}" if about["heading_path"] else ""
    st.markdown(f"**{written_markdown(f'{label} {source_line(node)}')}**")
    st.caption(
        written_markdown(
            f"rank {about['rank']} · score {hit.score:.4f} · cosine {about['cosine']:.3f}{heading}"
        )
    )
    st.markdown(written_markdown(passage_text(node)))
    st.divider()
