"""A click on a marker opens its passage beside the answer, what supports the statement lit."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.figures import numbers_in, shows
from rag_app.chat.prompts import source_line
from rag_app.chat.rows import is_row
from rag_app.chat.support import Part
from rag_app.errors import RagError
from rag_app.filings.chunks import passage_text
from rag_app.library import Library
from rag_app.records import Answer
from rag_app.render import also_in
from rag_app.ui import state
from rag_app.ui.answers import cited_by, opened_by
from rag_app.ui.links import place_link
from rag_app.ui.markdown import written_markdown
from rag_app.ui.passages import passage_markdown, place_of, supporting

# Streamlit has no link that calls the page back; its component for it (streamlit 1.51 and later) is
# script of ours. A listener on the document outlives every redrawing of the answers.
CATCHER = """
export default function ({ setTriggerValue }) {
  const open = (event) => {
    const link = event.target.closest?.('a[href^="#passage-"]');
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    setTriggerValue("link", link.getAttribute("href"));
  };
  document.addEventListener("click", open, true);
  return () => document.removeEventListener("click", open, true);
}
"""


@functools.cache
def _catcher() -> Any:
    return st.components.v2.component("filings_rag_marker_links", js=CATCHER)


@st.fragment
def draw_opened() -> None:
    """Show the passage whose marker was clicked; a fragment, so that nothing else is redrawn."""
    clicked = _catcher()(key="marker-links", on_link_change=lambda: None)
    if clicked.link:
        show_passage(str(clicked.link))


def show_passage(link: str) -> None:
    """Open the passage that a link of an answer names; a link that names none does nothing."""
    named = opened_by(link)
    messages = state.messages()
    if named is None or not 1 <= named[0] <= len(messages):
        return
    answer = messages[named[0] - 1].answer
    cited = cited_by(answer) if answer else []
    if answer is None or not 1 <= named[1] <= len(cited):
        return
    marker, statement = cited[named[1] - 1]
    drawer = st.dialog(f"Passage {marker}", width="medium", position="right")
    drawer(_draw_cited)(answer, marker, statement.said)


def _draw_cited(answer: Answer, marker: int, said: str) -> None:
    """What is in the drawer: the statement, the passage, and the way to its place in the filing."""
    chunk_id = next(each.chunk_id for each in answer.citations if each.marker == marker)
    hit = next(each for each in answer.hits if each.node.node_id == chunk_id)
    assert isinstance(hit.node, TextNode)
    parts = supporting(hit.node, [said])
    st.caption(written_markdown(f"Cited for: {said}"))
    draw_passage(hit, marker, parts)
    st.caption(_lit_says(hit.node, said, parts))
    # A row's cells stand apart in the document, where a browser finds no text over several.
    sentence = next((part.text for part in parts if not is_row(part.text)), "")
    if link := place_link(_source_of(hit.node), hit.node, sentence):
        st.link_button("Open the filing at sec.gov", link)


def _lit_says(node: TextNode, said: str, parts: Sequence[Part]) -> str:
    """What the highlighted parts are to the statement, in words too."""
    if not parts:
        return "Nothing in this passage comes near the statement: check it before you use it."
    passage = passage_text(node)
    if not all(shows(passage, figure) for figure in numbers_in(said)):
        return (
            "A figure of the statement does not stand in this passage; the words nearest to the "
            "statement are highlighted."
        )
    return "What supports the statement best is highlighted."


def draw_passage(hit: NodeWithScore, marker: int | None, parts: Iterable[Part]) -> None:
    """A passage: where it stands, how it was found, and its text with ``parts`` lit."""
    node = hit.node
    assert isinstance(node, TextNode)
    label = f"[{marker}]" if marker else "Not cited:"
    score = f"score {hit.score:.4f} · cosine {node.metadata['cosine']:.2f}"
    st.markdown(f"**{written_markdown(f'{label} {source_line(node)}')}**")
    st.caption(written_markdown(f"{place_of(node)} · {score}{also_in(node)}"))
    st.markdown(passage_markdown(node, parts))


def _source_of(node: TextNode) -> str:
    """Where a passage's filing came from; empty for one that is gone or cannot be read."""
    try:
        stored = Library(state.settings().home).filings()
    except RagError:
        return ""
    key = str(node.metadata["filing"])
    return stored[key].filing.source if key in stored else ""
