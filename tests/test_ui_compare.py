"""The compare page over the real sample library: two sides, moves between them, marks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from streamlit.testing.v1 import AppTest
from test_ui_page import BACKLOG, chat_home, home
from tiny import write_filing

from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.feedback_pairs import accepted_pairs
from rag_app.index.embedder import Embedder
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.ui import pages, state
from rag_app.ui.moves import moves

__all__ = ["chat_home", "home"]  # fixtures

RISKS = "Which risks could hurt the business most?"
MINILM, TUNED = "minilm", "filings-minilm"


def hit(chunk_id: str, *also: str) -> NodeWithScore:
    """A hit that stands for the same passage in other filings too."""
    places = [{"chunk_id": other} for other in also]
    return NodeWithScore(node=TextNode(id_=chunk_id, metadata={"also_in": places}))


def page() -> AppTest:
    """The page with the untuned model on both sides: at 384 fused, at 64 dense alone."""
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=240)
    at.switch_page("compare.py").run()
    assert not at.exception
    at.selectbox(key="right_model").set_value(MINILM).run()
    at.selectbox(key="right_dim").set_value(64)
    return at.selectbox(key="right_way").set_value("Dense alone").run()


def ask(at: AppTest, question: str) -> AppTest:
    at.text_input(key="compared_question").set_value(question).run()
    assert not at.exception and not at.error
    return at


def titles(at: AppTest, side: int) -> list[str]:
    """The first line of every hit of a side: rank, badge, source."""
    return [
        element.value for element in at.columns[side + 2].markdown if "-badge[" in element.value
    ]


def test_moves_are_seen_from_left_to_right_and_twins_are_one_passage() -> None:
    left = [hit("a"), hit("b", "b-2022"), hit("c"), hit("d")]
    right = [hit("c"), hit("a"), hit("b-2022"), hit("new")]
    found = moves(left, right)
    assert [move.sign for move in found] == ["↑2", "↓1", "↓1", "new", "gone"]
    assert [move.says for move in found] == [
        "3 rises to 1",
        "1 falls to 2",
        "2 falls to 3",
        "4 is new",
        "4 is gone",
    ]
    assert [move.sign for move in moves(left, left)] == ["="] * 4
    assert moves([], []) == []


def test_the_base_stands_against_what_is_served(home: Path) -> None:
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=240)
    at.switch_page("compare.py").run()
    assert not at.exception
    assert (at.selectbox(key="left_model").value, at.selectbox(key="right_model").value) == (
        MINILM,
        TUNED,
    )
    assert at.selectbox(key="left_dim").value == at.selectbox(key="right_dim").value == 384
    assert at.selectbox(key="left_way").value == "Dense and BM25"


def test_both_lists_are_the_read_paths_own_and_the_moves_are_theirs(
    home: Path, minilm: Embedder
) -> None:
    at = ask(page(), RISKS)
    library = Library(home)
    lists = [
        FilingsRetriever(open_snapshot(library, minilm, dim), k=10, lexical=fused).retrieve(RISKS)
        for dim, fused in ((384, True), (64, False))
    ]
    moved = moves(*lists)
    assert any(move.sign != "=" for move in moved), "else nothing is shown by this question"
    signs = {move.right: move.sign for move in moved if move.right}
    assert len(titles(at, 1)) == len(lists[1]) == 10
    for rank, (title, found) in enumerate(zip(titles(at, 1), lists[1], strict=True), start=1):
        assert title.startswith(f"**{rank}** :")
        assert f"-badge[{signs[rank]}]" in title
        assert f"Item {found.node.metadata['item']}" in title
    gone = {move.left for move in moved if not move.right}
    shown = {n for n, title in enumerate(titles(at, 0), start=1) if "badge[gone]" in title}
    assert shown == gone
    (chart,) = at.get("vega_lite_chart") or at.get("arrow_vega_lite_chart")
    assert all(move.says in str(chart.proto) for move in moved), "the drawing has its text"


def test_the_right_passage_is_kept_with_the_side_that_found_it(home: Path) -> None:
    store = FeedbackStore(home)
    store.forget_all()
    at = ask(page(), BACKLOG)
    ticks = [box for box in at.columns[3].checkbox if "right one" in box.label]
    assert len(ticks) == len(titles(at, 1))
    ticks[1].check().run()
    assert not at.exception
    (pair,) = accepted_pairs(store.marks())
    assert (pair.question, pair.passage.number) == (BACKLOG, 2)
    (mark,) = store.marks()
    assert (mark.kind, mark.asked.model, mark.asked.dim) == ("right-passage", MINILM, 64)
    again = [box for box in at.columns[3].checkbox if "right one" in box.label]
    again[1].uncheck().run()
    assert store.marks() == []


def test_filters_are_the_chats(home: Path) -> None:
    at = ask(page(), BACKLOG)
    said = [caption.value for caption in at.main.caption]
    assert "Asked of LKSP fiscal 2023 \\(from the question\\)" in said
    at.sidebar.checkbox[0].uncheck().run()
    at.sidebar.multiselect[0].set_value(["TSLT · Tessaline Software, Inc."]).run()
    assert not at.exception
    assert all("Tessaline" in title for side in (0, 1) for title in titles(at, side))


def test_a_model_that_never_read_the_library_does_so_behind_the_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, minilm: Embedder
) -> None:
    library = Library(tmp_path / "home")
    ingest([write_filing(tmp_path / "q.html")], library, minilm, 384, max_file_mb=1)
    monkeypatch.setenv("RAG_HOME", str(library.home))
    shown: list[tuple[str, int]] = []
    bar = state._encoding_bar

    def watched(model: str, total: int) -> object:
        shown.append((model, total))
        return bar(model, total)

    monkeypatch.setattr(state, "_encoding_bar", watched)
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=240)
    ask(at.switch_page("compare.py").run(), "What was revenue in 2023?")
    assert [model for model, total in shown if total] == [TUNED]
    assert len(titles(at, 0)) == len(titles(at, 1)) > 0


def test_an_empty_library_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "nothing"))
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=60)
    at.switch_page("compare.py").run()
    assert len(at.error) == 1 and not at.exception
    assert "ingest" in at.error[0].value


@pytest.mark.parametrize("name", re.findall(r'st\.Page\("(.+?)"', Path(pages.__file__).read_text()))
def test_no_string_of_a_page_file_is_printed(name: str) -> None:
    """Streamlit prints an expression that stands alone in a page, a string under a name too."""
    body = ast.parse((Path(pages.__file__).parent / name).read_text("utf-8")).body
    alone = [each for each in body[1:] if isinstance(each, ast.Expr)]
    assert [type(each.value) for each in alone] == [ast.Call]
