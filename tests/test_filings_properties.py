"""Properties of the reader over generated HTML and tables: nothing lost, nothing invented."""

from __future__ import annotations

import datetime as dt
import html
import itertools
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_app.errors import FilingError
from rag_app.filings.chunks import make_chunks, passage_text, token_counter
from rag_app.filings.read import read_filing
from rag_app.records import CoverFlags, ParsedFiling

MAX_TOKENS = 256
COUNT_TOKENS = token_counter()
QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
COVER = "<p>FORM 10-K</p><p>LARKSPUR CORPORATION</p>"
PERIOD_END = dt.date(2023, 12, 31)

# Each word is a number in letters, so that a word lost is told from a word that stands twice.
CONTAINERS = ("div", "p", "span", "b", "font", "center", "ul", "li", "section", "i", "u", "a")


def spelled(number: int) -> str:
    """A made-up word for a number: letters only, no two alike."""
    return "qx" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:04d}")


class Words:
    """Hands out words that never repeat, and remembers them."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def next(self, count: int) -> str:
        words = [spelled(len(self.given) + n) for n in range(count)]
        self.given += words
        return " ".join(words)


LEAVES = st.one_of(
    st.tuples(st.just("words"), st.integers(1, 40)),
    st.tuples(st.just("entity"), st.sampled_from(["&nbsp;", "&amp;", "&#151;", "&lt;x&gt;", "&"])),
    st.tuples(st.just("empty"), st.sampled_from(["<br>", "<hr>", "<p></p>", "<td>", "</b>"])),
    st.tuples(
        st.just("table"),
        st.lists(
            st.lists(
                st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3)),
                min_size=1,
                max_size=4,
            ),
            min_size=1,
            max_size=5,
        ),
    ),
)
NODES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.sampled_from(CONTAINERS), st.lists(inner, max_size=5)),
    max_leaves=12,
)


def markup(node: tuple[str, object], words: Words) -> str:
    kind, value = node
    if kind == "words":
        assert isinstance(value, int)
        return f"{words.next(value)} "
    if kind in ("entity", "empty"):
        return str(value)
    assert isinstance(value, list)
    if kind == "table":
        rows = (
            "".join(
                f"<td colspan={wide} rowspan={high}>{words.next(count)}</td>"
                for wide, high, count in row
            )
            for row in value
        )
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    return f"<{kind}>" + "".join(markup(child, words) for child in value) + f"</{kind}>"


def read(content: str | bytes, form: str = "10-K") -> ParsedFiling:
    with tempfile.NamedTemporaryFile(suffix=".htm") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        flags = CoverFlags("LKSP", form, period_end=PERIOD_END)
        return read_filing(Path(file.name), max_bytes=10**7, flags=flags)


def check_chunks(parsed: ParsedFiling) -> list[str]:
    """Chunks are slices, within the limit, each with an id of its own; returns their texts."""
    nodes = make_chunks(parsed, COUNT_TOKENS, MAX_TOKENS)
    assert len({node.node_id for node in nodes}) == len(nodes)
    texts = [section.text for section in parsed.sections]
    for node in nodes:
        start, end = node.metadata["start"], node.metadata["end"]
        assert any(text[start:end] == node.text for text in texts)
        assert node.text.strip()
    assert max(COUNT_TOKENS([passage_text(node) for node in nodes]), default=0) <= MAX_TOKENS
    again = make_chunks(parsed, COUNT_TOKENS, MAX_TOKENS)
    assert [node.node_id for node in again] == [node.node_id for node in nodes]
    return [node.text for node in nodes]


@QUICK
@given(st.lists(NODES, min_size=1, max_size=5), st.lists(st.sampled_from(["1", "1A", "7", "8"])))
def test_every_visible_word_reaches_a_chunk(
    nodes: Sequence[tuple[str, object]], items: list[str]
) -> None:
    words = Words()
    headings = itertools.chain(
        (f"<p><b>Item {item}. Heading</b></p>" for item in items), itertools.repeat("")
    )
    body = "".join(next(headings) + markup(node, words) for node in nodes)
    document = f"<html><body>{COVER}<p>{words.next(5)}</p>{body}</body></html>"
    first, second = read(document), read(document)
    assert first.sections == second.sections
    found = re.findall(r"qx[a-j]{4}", " ".join(check_chunks(first)))
    assert sorted(found) == sorted(words.given), "each word once: none lost, none twice"


@QUICK
@given(st.binary(max_size=2000) | st.text(max_size=2000).map(str.encode))
def test_whatever_the_bytes_only_a_filing_error_comes_out(content: bytes) -> None:
    try:
        check_chunks(read(content))
    except FilingError as refused:
        assert "\n" not in str(refused)


@QUICK
@given(
    st.text(alphabet="<>/&;#x0123456789abtdr =\"'-!?[]DOCTYPEITEM.\n", max_size=600),
    st.text(max_size=200),
)
def test_broken_markup_is_read_all_the_same(broken: str, text: str) -> None:
    document = f"<html><body>{COVER}<p>{html.escape(text)}</p>{broken}"
    try:
        check_chunks(read(document))
    except FilingError as refused:
        assert "\n" not in str(refused)


FIGURES = st.integers(-99_999, 99_999).map(lambda n: f"({-n:,})" if n < 0 else f"{n:,}")


@QUICK
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(FIGURES | st.just(""), min_size=width, max_size=width),
            min_size=2,
            max_size=40,
        )
    ),
    st.booleans(),
)
def test_every_figure_stands_in_its_own_row(table: list[list[str]], split_dollar: bool) -> None:
    """A label, then figures with or without a ``$`` in a cell of its own, as EDGAR sets them."""
    words = Words()
    labels = [f"Row {words.next(1)}" for _ in table]
    sign = "<td>$</td>" if split_dollar else ""
    body = "".join(
        f"<tr><td>{label}</td>"
        + "".join(f"{sign if f else ('<td></td>' if sign else '')}<td>{f}</td>" for f in row)
        + "</tr>"
        for label, row in zip(labels, table, strict=True)
    )
    heads = "".join(
        f"<td {'colspan=2' if sign else ''}>{2020 + n}</td>" for n in range(len(table[0]))
    )
    parsed = read(
        f"<html><body>{COVER}<table><tr><td></td>{heads}</tr>{body}</table></body></html>"
    )
    check_chunks(parsed)
    lines = [line for section in parsed.sections for line in section.text.split("\n")]
    for label, row in zip(labels, table, strict=True):
        (line,) = (line for line in lines if label in line)
        figures = [f.replace("$", "") for f in line.replace("|", " ").split()[2:]]
        assert figures == [f for f in row if f]


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_count_of_rows_is_kept(rows: int) -> None:
    body = "".join(
        f"<tr><td>Line {spelled(n)}</td><td>{n}</td><td>{n * 7}</td></tr>" for n in range(rows)
    )
    parsed = read(
        f"<html><body>{COVER}<table><tr><td></td><td>2023</td><td>2022</td></tr>{body}</table>"
    )
    (table,) = (block for s in parsed.sections for block in s.blocks if block.kind == "table")
    assert table.header_rows == 1
    assert len(table.text.split("\n")) == rows + 1
    chunks = check_chunks(parsed)
    assert sum(text.count("Line qx") for text in chunks) == rows
