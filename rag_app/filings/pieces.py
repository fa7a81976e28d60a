"""A block → pieces that a chunk border may fall between: sentences, table rows, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag_app.filings.prefix import TokenCount
from rag_app.records import Block

_SENTENCE_END = re.compile(r"(?<=[.!?;:])[\"”’)\]]*\s+(?=[\"“‘(\[•]?[A-Z0-9(•])")
ABBREVIATION = re.compile(
    r"(?:\b(?:U\.S|Inc|Corp|Co|Ltd|No|Nos|vs|Mr|Ms|Mrs|Dr|St|Jr|Sr|Sec|Art|approx|e\.g|i\.e|cf|etc"
    r"|[A-Z])\.)$"
)
"""A text that ends with an abbreviation: the full stop ends no sentence."""
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a section's text; ``tokens`` are without special tokens.

    ``leads`` marks headings and header rows, which should not end a chunk. ``label`` is the
    label row ("Current assets:") under which the rows after this one stand.
    """

    start: int
    end: int
    tokens: int
    leads: bool = False
    label: str = ""


def block_pieces(at: int, block: Block, tokens: TokenCount, room: int) -> list[Piece]:
    """The pieces of a block that starts at offset ``at``: whole if it fits into ``room``."""
    whole = tokens.plain(block.text)
    if block.kind == "table":
        if whole <= room:
            return [Piece(at, at + len(block.text), whole)]
        return list(_rows(at, block, tokens))
    if whole <= room:
        return [Piece(at, at + len(block.text), whole, leads=block.kind == "heading")]
    spans = list(_sentences(block.text))
    tokens.learn(block.text[a:b] for a, b in spans)
    return [Piece(at + a, at + b, tokens.plain(block.text[a:b])) for a, b in spans]


def word_pieces(piece: Piece, text: str, tokens: TokenCount, room: int) -> Iterator[Piece]:
    """A piece that is longer than ``room`` cut between words, or inside a word if need be."""
    words: list[tuple[int, int]] = []
    for match in _WORD.finditer(text, piece.start, piece.end):
        a, b = match.span()
        # A token has at least one character, so a cut of `room` characters always fits.
        step = b - a if tokens.plain(text[a:b]) <= room else room
        words += [(i, min(i + step, b)) for i in range(a, b, step)]
    tokens.learn(text[a:b] for a, b in words)
    start, end = words[0][0], words[0][0]
    used = 0
    for a, b in words:
        size = tokens.plain(text[a:b])
        if used and used + size > room:
            yield Piece(start, end, used, label=piece.label)
            start, used = a, 0
        end = b
        used += size
    yield Piece(start, end, used, label=piece.label)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for gap in _SENTENCE_END.finditer(text):
        stop = len(text[: gap.end()].rstrip())
        if ABBREVIATION.search(text[start:stop]):
            continue
        yield start, stop
        start = gap.end()
    yield start, len(text)


def _rows(at: int, block: Block, tokens: TokenCount) -> Iterator[Piece]:
    rows = block.text.split("\n")
    tokens.learn(rows)
    label = ""
    for index, row in enumerate(rows):
        cells = [cell.strip() for cell in row.strip("| ").split(" | ")]
        header = index < block.header_rows
        if not header:
            if cells[0] and not any(cells[1:]):
                label = row
            elif cells[0].lower().startswith("total"):
                label = ""
        leads = header or row == label
        yield Piece(at, at + len(row), tokens.plain(row), leads=leads, label=label)
        at += len(row) + 1
