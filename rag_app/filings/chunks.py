"""Sections → chunks: slices of a section's text, each with what a reader needs to place it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.filings.groups import Group, groups
from rag_app.filings.pieces import Piece, block_pieces, word_pieces
from rag_app.filings.prefix import Place, TokenCount, passage_prefix
from rag_app.records import Filing, ParsedFiling, Section

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

CHUNKER_VERSION = "3"
"""Part of an index's passport: any change of borders or prefixes must raise it."""
MAX_KNOWN_WORDS = 500_000
"""Words whose token counts are kept, some 60 MB; a long ingest meets numbers without end."""
MAX_LEAD = 0.75
"""Share of a chunk that headings may fill and still be kept with the text below them."""


def token_counter() -> Callable[[Sequence[str]], list[int]]:
    """Count tokens as the default model sees them, its two special tokens included.

    WordPiece cuts every word by itself, and filings say the same words again and again: each is
    tokenized once and its count kept.

    Raises:
        ModelError: the default model is not installed.
    """
    from tokenizers import Tokenizer

    from rag_app.index.models import resolve_model
    from rag_app.index.served import MINILM

    folder = resolve_model(MINILM, Path()).folder
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    special = len(tokenizer.encode("").ids)
    known: dict[str, int] = {}

    def count(texts: Sequence[str]) -> list[int]:
        split = [text.split() for text in texts]
        if len(known) > MAX_KNOWN_WORDS:
            known.clear()
        new = list({word for words in split for word in words if word not in known})
        encodings = tokenizer.encode_batch_fast(new, add_special_tokens=False)
        known.update((word, len(e.ids)) for word, e in zip(new, encodings, strict=True))
        return [special + sum(map(known.__getitem__, words)) for words in split]

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
class _Chunk:
    start: int
    end: int
    prefix: str
    group: Group


def _section_chunks(
    filing: Filing, section: Section, tokens: TokenCount, max_tokens: int
) -> Iterator[_Chunk]:
    text = section.text
    tokens.learn(block.text for block in section.blocks)
    for group in groups(section):
        yield from _group_chunks(filing, section, group, text, tokens, max_tokens)


def _group_chunks(
    filing: Filing,
    section: Section,
    group: Group,
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
    pieces = _pieces(group, text, tokens, room)
    total = sum(piece.tokens for piece in pieces)
    # Pieces rarely fill a chunk to the last token; without slack the last chunk is a crumb.
    target = total / max(1, math.ceil(total / (0.92 * room)))
    packed: list[Piece] = []
    label, prefix = "", first
    used = extra = 0
    for piece in pieces:
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


def _pieces(group: Group, text: str, tokens: TokenCount, room: int) -> list[Piece]:
    """The pieces of a group, none longer than a chunk, the first below headings shorter still.

    So headings and header rows find room in one chunk with what they head. Headings that end the
    group are one piece with what stands before them.
    """
    last, tail = _tail(group, tokens, room)
    pieces: list[Piece] = []
    lead = 0
    for number, (at, block) in enumerate(group.blocks[: last + 1]):
        free = room - tail if number == last else room
        for piece in block_pieces(at, block, tokens, _beside(lead, free)):
            limit = _beside(lead, free)
            whole = piece.tokens <= limit
            pieces += [piece] if whole else word_pieces(piece, text, tokens, limit)
            lead = lead + piece.tokens if whole and piece.leads else 0
    if tail:
        at, block = group.blocks[-1]
        size = pieces[-1].tokens + tail
        pieces[-1] = replace(pieces[-1], end=at + len(block.text), tokens=size, leads=False)
    return pieces


def _tail(group: Group, tokens: TokenCount, room: int) -> tuple[int, int]:
    """The block that ends the group's text, and the tokens of the headings behind it.

    Without text, or with more headings behind it than go with it, it is the last block.
    """
    end = len(group.blocks) - 1
    text = (at for at in range(end, -1, -1) if group.blocks[at][1].kind != "heading")
    last = next(text, end)
    tail = sum(tokens.plain(block.text) for _, block in group.blocks[last + 1 :])
    return (last, tail) if tail <= MAX_LEAD * room else (end, 0)


def _beside(lead: int, free: int) -> int:
    """How long a piece may be to fit beside the headings above it."""
    return free - lead if lead <= MAX_LEAD * free else free


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
