"""The compare page: one question, two retrievers, their hits side by side and the moves between."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import streamlit as st
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.prompts import source_line
from rag_app.errors import RagError
from rag_app.index.models import known_models
from rag_app.index.served import MINILM, served_model
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.render import also_in
from rag_app.ui import sidebar, state
from rag_app.ui.compared import WAYS, Side, searched
from rag_app.ui.conversation import draw_context
from rag_app.ui.feedback import draw_right_passage
from rag_app.ui.kept import KEPT
from rag_app.ui.markdown import written_markdown
from rag_app.ui.moves import Move, moves
from rag_app.ui.passages import passage_markdown, place_of
from rag_app.ui.slopes import draw_slopes
from rag_app.ui.state import Message

HITS = (5, 10, 20)
SHOWN_CHARACTERS = 220
# First character of a move's sign → its badge's colour.
COLOURS = {"↑": "green", "↓": "orange", "n": "blue", "g": "gray", "=": "gray"}


def page() -> None:
    """Draw the page from top to bottom."""
    st.set_page_config(page_title="Compare · Filings RAG", page_icon="📄", layout="wide")
    st.header("Compare", anchor=False)
    try:
        library = Library(state.settings().home)
        library.check_filters(Filters())
        with st.sidebar:
            scope = sidebar.draw_scope(library)
            k = st.selectbox("Hits", HITS, index=1, key="compared_hits", persist_state=KEPT)
        question = st.text_input(
            "Question",
            key="compared_question",
            persist_state=KEPT,
            placeholder="Ask both sides the same",
        ).strip()
        base, tuned = _default_models()
        left, right = st.columns(2)
        sides = (_choose(left, "Left", base), _choose(right, "Right", tuned))
        if question:
            _draw(sides, searched(question, sides, scope, k))
    except RagError as error:
        st.error(written_markdown(str(error)))


def _default_models() -> tuple[str, str]:
    """The base and what is served; where the settings serve the base, what was promoted."""
    settings = state.settings()
    tuned = settings.model if settings.model != MINILM else served_model(settings.home)
    return MINILM, tuned


def _choose(column: st.delta_generator.DeltaGenerator, name: str, default: str) -> Side:
    """Model, dimension and way of one side.

    Raises:
        ModelError: the model cannot be read.
    """
    settings, key = state.settings(), name.lower()
    names = list(dict.fromkeys([default, *known_models(settings.home), settings.model]))
    with column.container(horizontal=True):
        model = st.selectbox(f"{name} model", names, key=f"{key}_model", persist_state=KEPT)
        dims = state.embedder(model).spec.dims
        dim = st.selectbox(
            f"{name} dimension",
            dims,
            index=dims.index(settings.dim) if settings.dim in dims else 0,
            key=f"{key}_dim",
            persist_state=KEPT,
        )
        way = st.selectbox(
            f"{name} search",
            WAYS,
            index=[*WAYS.values()].index(settings.lexical),
            key=f"{key}_way",
            persist_state=KEPT,
            help="With or without BM25; all else is as the settings serve it.",
        )
    return Side(model, dim, WAYS[way])


def _draw(sides: Sequence[Side], found: Sequence[Message]) -> None:
    draw_context(found[0].question, found[0].searched_for, found[0].asked)
    if found[0].asked and found[0].asked.missing:
        st.warning(written_markdown(found[0].asked.missing))
    left, right = (message.answer.hits if message.answer else () for message in found)
    moved = moves(left, right)
    new = sum(move.left is None for move in moved)
    gone = sum(move.right is None for move in moved)
    st.caption(f"{len(moved) - new - gone} passages on both sides, {new} new, {gone} gone")
    if moved:
        draw_slopes(moved, _names(left, right, moved))
    of_left = {move.left: move for move in moved}
    of_right = {move.right: move for move in moved}
    for name, column, side, message, ranks in zip(
        ("left", "right"), st.columns(2), sides, found, (of_left, of_right), strict=True
    ):
        with column, st.container(key=f"side-{name}"):
            _draw_side(side, message, ranks)


def _names(
    left: Sequence[NodeWithScore], right: Sequence[NodeWithScore], moved: Sequence[Move]
) -> list[str]:
    """What each moved passage is called."""
    hits = [right[m.right - 1] if m.right else left[(m.left or 1) - 1] for m in moved]
    return [_name(hit) for hit in hits]


def _name(hit: NodeWithScore) -> str:
    assert isinstance(hit.node, TextNode)
    return source_line(hit.node)


def _draw_side(side: Side, message: Message, moved: dict[int | None, Move]) -> None:
    """The hits of one side, each with its move and a tick."""
    answer = message.answer
    assert answer is not None
    st.subheader(written_markdown(str(side)), anchor=False)
    st.caption(f"{len(answer.hits)} hits in {answer.timings_ms['retrieve']:.0f} ms")
    for rank, hit in enumerate(answer.hits, start=1):
        node = hit.node
        assert isinstance(node, TextNode)
        sign = moved[rank].sign
        badge = f":{COLOURS[sign[0]]}-badge[{sign}]"
        with st.container(border=True):
            st.markdown(f"**{rank}** {badge} **{written_markdown(source_line(node))}**")
            score = f"score {hit.score:.4f} · cosine {node.metadata['cosine']:.2f}"
            st.caption(written_markdown(f"{place_of(node)} · {score}{also_in(node)}"))
            st.markdown(written_markdown(textwrap.shorten(node.text, SHOWN_CHARACTERS)))
            with st.expander("The whole passage"):
                st.markdown(passage_markdown(node))
            draw_right_passage(message, rank)


page()
