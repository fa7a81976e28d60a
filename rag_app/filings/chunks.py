"""Sections → chunks: slices of a section's text, each with what a reader needs to place it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.filings.pieces import Piece, block_pieces, word_pieces
from rag_app.filings.prefix import Place, TokenCount, passage_prefix
from rag_app.records import Block, Filing, ParsedFiling, Section

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

_ITEM_HEADING = re.compile(r"(?:part\s+[ivx]+|items?\s+\d)", re.I)

CHUNKER_VERSION = "2"
"""Part of an index's passport: any change of borders or prefixes must raise it."""


def token_counter() -> Callable[[Sequence[str]], list[int]]:
    """Count tokens as the default model sees them, its two special tokens included.

    Raises:
        ModelError: the default model is not installed.
    """
    from tokenizers import Tokenizer

    from rag_app.index.models import DEFAULT_MODEL, resolve_model

    folder = resolve_model(DEFAULT_MODEL, Path()).folder
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(list(texts))]

    return count


def passage_text(node: TextNode) -> str:
    """What is embedded, indexed by BM25 and shown to the LLM: the prefix, then the chunk."""
    prefix = node.metadata["prefix"]
    return f"{prefix}\n{node.text}" if prefix else node.text


def make_chunks(
    parsed: ParsedFiling,
    count_tokens: Callable[[Sequence[str]], list[int]],
    max_tokens: int = 256,
) -> list[TextNode]:
    """Cut a filing's sections into chunks of at most ``max_tokens``, prefix included.

    ``count_tokens`` gives the tokens of each text with the model's special tokens; it has to be
    additive over text joined by white space, as WordPiece is. Borders fall between paragraphs,
    then sentences or table rows, then words; every character of a section but the white space
    at borders is in exactly one chunk, and a chunk's text is ``section.text[start:end]``.

    Raises:
        ValueError: ``max_tokens`` leaves no room for text beside the prefix.
    """
    if max_tokens < 32:
        raise ValueError(f"max_tokens is {max_tokens}; a chunk needs at least 32")
    tokens = TokenCount(count_tokens)
    sections = Counter[str]()
    nodes: list[TextNode] = []
    for section in parsed.sections:
        sections[section.item] += 1
        again = f"~{sections[section.item]}" if sections[section.item] > 1 else ""
        stem = f"{parsed.filing.key}:{section.item or '0'}{again}"
        nodes += [
            _node(stem, parsed.filing, section, chunk)
            for chunk in _section_chunks(parsed.filing, section, tokens, max_tokens)
        ]
    return nodes


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring blocks that may share a chunk: one heading's text, or a table and its lead."""

    blocks: tuple[tuple[int, Block], ...]
    headings: tuple[str, ...]

    @property
    def table(self) -> Block | None:
        """The table that ends the group, if one does."""
        last = self.blocks[-1][1]
        return last if last.kind == "table" else None


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    end: int
    prefix: str
    group: _Group


def _section_chunks(
    filing: Filing, section: Section, tokens: TokenCount, max_tokens: int
) -> Iterator[_Chunk]:
    text = section.text
    tokens.learn(block.text for block in section.blocks)
    for group in _groups(section):
        yield from _group_chunks(filing, section, group, text, tokens, max_tokens)


def _groups(section: Section) -> Iterator[_Group]:
    """Cut a section's blocks at headings and around tables."""
    path: list[tuple[int, str]] = []
    open_blocks: list[tuple[int, Block]] = []
    at = 0

    def group(blocks: Sequence[tuple[int, Block]]) -> _Group:
        return _Group(tuple(blocks), tuple(text for _, text in path))

    for block in section.blocks:
        placed = (at, block)
        at += len(block.text) + 2
        if block.kind == "heading":
            if any(b.kind != "heading" for _, b in open_blocks):
                yield group(open_blocks)
                open_blocks = []
            while path and path[-1][0] >= block.level:
                path.pop()
            # The Item's own heading is the section's title already.
            if not _ITEM_HEADING.match(block.text):
                path.append((block.level, block.text))
            open_blocks.append(placed)
        elif block.kind == "table":
            lead = len(open_blocks)
            while lead and open_blocks[lead - 1][1].text in block.caption:
                lead -= 1
            if all(b.kind == "heading" for _, b in open_blocks[:lead]):
                lead = 0
            if lead:
                yield group(open_blocks[:lead])
            yield group([*open_blocks[lead:], placed])
            open_blocks = []
        else:
            open_blocks.append(placed)
    if open_blocks:
        yield group(open_blocks)


def _group_chunks(
    filing: Filing,
    section: Section,
    group: _Group,
    text: str,
    tokens: TokenCount,
    max_tokens: int,
) -> Iterator[_Chunk]:
    """Pack a group's pieces: as few chunks as fit, and those about equally long."""
    place = Place(filing, section, group.headings, group.table)

    def labelled(label: str) -> str:
        return passage_prefix(place, tokens, max_tokens, label=label, continued=True)

    first = passage_prefix(place, tokens, max_tokens, label="", continued=False)
    later = labelled("")
    room = max_tokens - tokens.special - max(tokens.plain(first), tokens.plain(later))
    pieces = [p for at, block in group.blocks for p in block_pieces(at, block, tokens, room)]
    total = sum(piece.tokens for piece in pieces)
    # Pieces rarely fill a chunk to the last token; without slack the last chunk is a crumb.
    target = total / max(1, math.ceil(total / (0.92 * room)))
    packed: list[Piece] = []
    label, prefix = "", first
    used = extra = 0
    for piece in _fitting(pieces, text, tokens, room):
        full = used + extra + piece.tokens > room
        if packed and (full or (used >= target and not packed[-1].leads)):
            yield _Chunk(packed[0].start, packed[-1].end, prefix, group)
            prefix = later if piece.leads else labelled(label)
            # Room was measured without a label row; a piece that needs it all goes without.
            extra = max(0, tokens.plain(prefix) - (max_tokens - tokens.special - room))
            if extra + piece.tokens > room:
                prefix, extra = later, 0
            packed, used = [], 0
        packed.append(piece)
        used += piece.tokens
        label = piece.label
    yield _Chunk(packed[0].start, packed[-1].end, prefix, group)


def _fitting(pieces: Sequence[Piece], text: str, tokens: TokenCount, room: int) -> Iterator[Piece]:
    """The pieces, those longer than a chunk cut between words."""
    for piece in pieces:
        if piece.tokens <= room:
            yield piece
        else:
            yield from word_pieces(piece, text, tokens, room)


def _node(stem: str, filing: Filing, section: Section, chunk: _Chunk) -> TextNode:
    from llama_index.core.schema import TextNode

    first = next(block for at, block in reversed(chunk.group.blocks) if at <= chunk.start)
    metadata = {
        "filing": filing.key,
        "company": filing.company,
        "ticker": filing.ticker,
        "form": filing.form,
        "fiscal_year": filing.fiscal_year,
        "period_end": filing.period_end.isoformat(),
        "item": section.item,
        "section_title": section.title,
        "heading_path": " > ".join(chunk.group.headings),
        "prefix": chunk.prefix,
        "kind": "table" if chunk.group.table else "text",
        "start": chunk.start,
        "end": chunk.end,
        "page": first.page,
        "anchor": first.anchor,
    }
    return TextNode(
        id_=f"{stem}:{chunk.start}-{chunk.end}",
        text=section.text[chunk.start : chunk.end],
        metadata=metadata,
        excluded_embed_metadata_keys=list(metadata),
        excluded_llm_metadata_keys=list(metadata),
    )
