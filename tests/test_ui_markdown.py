"""Display: text shows as it was written, and nothing in it turns to LaTeX, HTML or a link."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.ui.markdown import ZERO_WIDTH_SPACE, answer_markdown, written_markdown

PIECES = ["$", "\\", "![", "](", "]:", "<", ">", "`", "[", "*", "_", "|", "\n", "    ", "\t", "-"]
HOSTILE = st.lists(
    st.sampled_from([*PIECES, "https://x.y", "www.x.y", "a@b.c", ":red[", "a", "1"])
    | st.text(max_size=3),
    max_size=20,
).map("".join)
LIVE_IN_BOTH = ("$", "<", "`", "![", "](", "]:")


def live(text: str, mark: str) -> bool:
    """Whether a mark stands in Markdown with an even number of backslashes before it."""
    return any(
        (len(before) - len(before.rstrip("\\"))) % 2 == 0
        for before in (text[: match.start()] for match in re.finditer(re.escape(mark), text))
    )


def shown(markdown: str) -> str:
    """What a reader sees of escaped text: without the escapes and zero-width spaces."""
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)
    return plain.replace(ZERO_WIDTH_SPACE, "").replace("  \n", "\n")


@given(HOSTILE)
def test_no_mark_of_an_answer_comes_alive(text: str) -> None:
    markdown = answer_markdown(text)
    for mark in LIVE_IN_BOTH:
        assert not live(markdown, mark), mark
    assert not re.search(r"https?://|www\.|@\w|:[a-zA-Z]|^ {4}|^ *\t", markdown, re.M)


@given(HOSTILE)
def test_no_mark_of_a_passage_comes_alive(text: str) -> None:
    markdown = written_markdown(text)
    for mark in (*LIVE_IN_BOTH, "*", "_", "#", "|", "[", "-", "="):
        assert not live(markdown, mark), mark
    assert not re.search(r"https?://|www\.|@\w|:[a-zA-Z]|^[ \t]", markdown, re.M)


@given(HOSTILE)
def test_a_passage_reads_as_written(text: str) -> None:
    assert shown(written_markdown(text)) == "\n".join(
        line.strip() for line in text.replace(ZERO_WIDTH_SPACE, "").strip().splitlines()
    )


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("It rose from $5 to $6 million [1].", "It rose from \\$5 to \\$6 million [1]."),
        ("Already \\$5", "Already \\\\\\$5"),
        ("**Bold** and *slanted*\n- one\n- two", "**Bold** and *slanted*\n- one\n- two"),
        ("1. one\n    - nested", "1. one\n   - nested"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("# Loud", "\\# Loud"),
        ("Not a heading\n---", "Not a heading\n\\---"),
        ("![x](https://e.x/p.png)", "\\![x\\](https\u200b://e.x/p.png)"),
        ("[x]: https://e.x", "[x\\]: https\u200b://e.x"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("at 10:30", "at 10:30"),
    ],
)
def test_answers(text: str, markdown: str) -> None:
    assert answer_markdown(text) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("1. First\n2) Second", "1\\. First  \n2\\) Second"),
        ("up 3.5% to $1.2", "up 3.5% to \\$1.2"),
        ("a\nb\n\nc\n", "a  \nb\n\nc"),
        ("write to x@y.com", "write to x@\u200by.com"),
    ],
)
def test_passages(text: str, markdown: str) -> None:
    assert written_markdown(text) == markdown
