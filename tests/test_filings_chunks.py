"""Sections to chunks: slices, the token limit, borders, repeated table headers."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_app.filings.chunks import make_chunks, passage_text, token_counter
from rag_app.filings.read import read_filing
from rag_app.filings.sections import with_captions
from rag_app.index.models import resolve_model
from rag_app.records import Block, Filing, Health, ParsedFiling, Section

FILING = Filing("Larkspur", "10-K", 2023, dt.date(2023, 12, 31), "0" * 64, "x", "LKSP")


def count_words(texts: Sequence[str]) -> list[int]:
    """Words, and two as if for special tokens."""
    return [len(text.split()) + 2 for text in texts]


def parsed(*blocks: Block, item: str = "7", sections: int = 1) -> ParsedFiling:
    section = Section(item, "Discussion", tuple(with_captions(blocks)))
    return ParsedFiling(FILING, (section,) * sections, Health((), (), 0))


def para(words: int, name: str = "w") -> Block:
    return Block("paragraph", " ".join(f"{name}{n}" for n in range(words)) + ".")


def sales(rows: int) -> Block:
    body = [f"| Region {n} | {n},000 | {n},500 |" for n in range(1, rows + 1)]
    head = ["|  | Year Ended |  |", "|  | 2023 | 2022 |"]
    return Block("table", "\n".join([*head, *body]), header_rows=2, anchor="t")


def test_small_paragraphs_share_a_chunk_and_headings_part_them() -> None:
    head = [Block("heading", "Liquidity", 2), Block("heading", "Debt", 3)]
    nodes = make_chunks(parsed(head[0], para(5), para(6), head[1], para(4)), count_words, 64)
    assert [node.metadata["heading_path"] for node in nodes] == ["Liquidity", "Liquidity > Debt"]
    assert nodes[0].text.startswith("Liquidity\n\nw0")
    assert nodes[0].text.count("\n\n") == 2


def test_metadata_and_id_tell_where_a_chunk_stands() -> None:
    (node,) = make_chunks(parsed(Block("paragraph", "Cash was ample.", page=9)), count_words)
    assert node.id_ == "LKSP_10-K_2023-12-31:7:0-15"
    assert node.metadata == {
        "filing": "LKSP_10-K_2023-12-31",
        "company": "Larkspur",
        "ticker": "LKSP",
        "form": "10-K",
        "fiscal_year": 2023,
        "period_end": "2023-12-31",
        "item": "7",
        "section_title": "Discussion",
        "heading_path": "",
        "prefix": "Larkspur 10-K fiscal 2023 > Item 7. Discussion",
        "kind": "text",
        "start": 0,
        "end": 15,
        "page": 9,
        "anchor": "",
    }
    assert passage_text(node) == f"{node.metadata['prefix']}\nCash was ample."
    assert node.get_content(metadata_mode="embed") == "Cash was ample."  # type: ignore[arg-type]


def test_two_sections_of_one_item_have_their_own_ids() -> None:
    nodes = make_chunks(parsed(para(5), sections=2), count_words)
    assert len({node.id_ for node in nodes}) == 2


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    text = " ".join(
        f"Sentence {n} says that Acme Inc. sold much in the U.S. market." for n in range(20)
    )
    nodes = make_chunks(parsed(Block("paragraph", text)), count_words, 64)
    assert len(nodes) > 3
    assert all(node.text.startswith("Sentence") and node.text.endswith(".") for node in nodes)


@pytest.mark.parametrize(
    "below",
    [
        [para(40)],
        [Block("paragraph", f"{para(20).text} And {para(25).text}")],
        [sales(3)],
        [sales(40)],
        [para(5), Block("heading", "Part II", 1)],
        [para(40), Block("heading", "Part II", 1), Block("heading", "Item 5. Market", 1)],
        [sales(40), Block("heading", "Part II", 1)],
    ],
)
def test_a_heading_is_never_a_chunk_of_its_own(below: list[Block]) -> None:
    heads = [Block("heading", "Liquidity and what it rests on", 2), Block("heading", "Debt", 3)]
    filing = parsed(*heads, *below)
    nodes = make_chunks(filing, count_words, 60)
    names = {block.text for block in (*heads, *below) if block.kind == "heading"}
    for node in nodes:
        assert set(node.text.split("\n\n")) - names, f"only headings: {node.text!r}"
    check(filing, count_words, 60)
    (alone,) = make_chunks(parsed(*heads), count_words, 60)
    assert alone.text.endswith("Debt"), "a section of headings alone keeps them"


def test_words_that_are_counted_once_count_as_the_tokenizer_counts_them() -> None:
    texts = [
        "",
        "Diluted EPS of $1.27, (2.4)%\n\n| Über-Größe | 3,000 |",
        "x" * 150 + " naïve\u00a0e\u0301",
    ]
    file = resolve_model("minilm", Path("nowhere")).folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    expected = [len(tokenizer.encode(text).ids) for text in texts]
    count = token_counter()
    assert count(texts) == expected
    assert count(texts) == expected, "and once they are known"


def test_a_table_repeats_caption_units_and_header_in_every_chunk() -> None:
    intro = Block("paragraph", "Sales by region were as follows (in millions):")
    nodes = make_chunks(parsed(Block("heading", "Sales", 2), intro, sales(40)), count_words, 100)
    assert len(nodes) > 2
    assert nodes[0].text.startswith("Sales\n\nSales by region")
    for node in nodes:
        passage = passage_text(node)
        assert "(in millions)" in passage
        assert passage.count("|  | 2023 | 2022 |") == 1
        assert node.metadata["kind"] == "table"
    rows = [row for node in nodes for row in node.text.split("\n") if row.startswith("| Region")]
    assert len(rows) == 40, "each row is in one chunk"


def test_rows_keep_the_label_they_stand_under() -> None:
    labelled = sales(30).text.replace("| Region 1 |", "| Europe: |  |  |\n| Region 1 |", 1)
    nodes = make_chunks(parsed(Block("table", labelled, header_rows=2)), count_words, 100)
    assert len(nodes) > 1
    assert all("| Europe: |" in passage_text(node) for node in nodes)


def test_words_without_end_are_cut_and_none_is_lost() -> None:
    text = "x" * 50 + " " + " ".join(f"y{n}" for n in range(500))
    nodes = make_chunks(parsed(Block("paragraph", text)), count_words, 40)
    assert " ".join(node.text for node in nodes) == text


def test_too_small_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        make_chunks(parsed(para(5)), count_words, 16)


def check(filing: ParsedFiling, count: Callable[[Sequence[str]], list[int]], limit: int) -> None:
    """What holds of every chunking: slices, limit, order, nothing lost, ids unique."""
    nodes = make_chunks(filing, count, limit)
    assert len({node.id_ for node in nodes}) == len(nodes)
    if nodes:
        assert max(count([passage_text(node) for node in nodes])) <= limit
    seen: dict[str, str] = {}
    for node in nodes:
        stem = node.id_.rpartition(":")[0]
        start, end = node.metadata["start"], node.metadata["end"]
        section = next(s for s in filing.sections if s.text[start:end] == node.text)
        assert section.item == node.metadata["item"]
        seen[stem] = seen.get(stem, "") + node.text
    whole = "".join("".join(section.text.split()) for section in filing.sections)
    assert "".join("".join(text.split()) for text in seen.values()) == whole


WORD = st.text("abcdefg123,.$%", min_size=1, max_size=12)
LINE = st.lists(WORD, min_size=1, max_size=60).map(" ".join)
ROW = st.lists(st.lists(WORD, max_size=5).map(" ".join), min_size=3, max_size=3).map(
    lambda cells: "| " + " | ".join(cells) + " |"
)
BLOCK = st.one_of(
    st.builds(lambda text: Block("paragraph", text), LINE),
    st.builds(lambda text, level: Block("heading", text, level), LINE, st.integers(1, 5)),
    st.builds(
        lambda rows, heads: Block("table", "\n".join(rows), header_rows=heads),
        st.lists(ROW, min_size=3, max_size=40),
        st.integers(0, 3),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=12), st.integers(32, 128))
def test_any_section_is_cut_into_slices_within_the_limit(blocks: list[Block], limit: int) -> None:
    check(parsed(*blocks), count_words, limit)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    [
        "NVDA_10-K_FY2023_2023-01-29.html",
        "KO_10-K_FY1997_1997-12-31.txt",
        "AAPL_10-K_FY2023_2023-09-30.pdf",
        "NVDA_10-Q_2025-07-27.html",
        "ORCL_8-K_2024-11-14.html",
    ],
)
def test_real_filings_with_the_real_tokenizer(shared_data: Path, name: str) -> None:
    check(read_filing(shared_data / "filings" / name, max_bytes=10**8), token_counter(), 256)


@pytest.mark.shared_data
def test_nvidias_revenue_stands_with_its_label_years_and_units(shared_data: Path) -> None:
    path = shared_data / "filings/NVDA_10-K_FY2023_2023-01-29.html"
    nodes = make_chunks(read_filing(path, max_bytes=10**8), token_counter())
    passages = [passage_text(node) for node in nodes if "| Revenue | $26,974" in node.text]
    assert len(passages) >= 2, "summary and statement of income"
    for passage in passages:
        assert re.search(r"January 29, 2023 \| January 30, 2022", passage)
        assert re.search(r"in millions", passage, re.I)
        assert "fiscal 2023" in passage


def test_the_samples_golds_stand_in_one_chunk_of_their_item(sample_filings: Path) -> None:
    def letters(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.lower())

    count = token_counter()
    nodes = {
        path.name: make_chunks(read_filing(path, max_bytes=10**7), count)
        for path in sample_filings.glob("*.html")
    }
    assert len(nodes) == 6
    for line in (sample_filings.parent / "questions.jsonl").read_text("utf-8").splitlines():
        question = json.loads(line)
        holding = [
            node.metadata["item"]
            for node in nodes[question["filing"]]
            if letters(question["gold"]) in letters(node.text)
        ]
        assert holding == [question["item"]], question["id"]
