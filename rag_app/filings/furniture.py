"""What is printed on every page and belongs to none: page numbers, running headers, footers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rag_app.records import Block

PAGE_BREAK = Block("paragraph", "\f")
EDGE_LINES = 4

_NUMBER = re.compile(
    r"(?:page\s*)?[-–—(\[]*\s*(?:[A-Z]{1,2}\s?-\s?)?(?:\d{1,3}|[ivxl]{1,6})\s*[-–—)\]]*"
    r"(?:\s*of\s*\d{1,3})?",
    re.I,
)
_CONTENTS_LINK = re.compile(r"(?:back to |return to )?(?:table of )?(?:contents|index)", re.I)
_UNITS = re.compile(r"\b(?:in|of) (?:millions|thousands|billions)\b", re.I)


def page_furniture(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """The (page, line) places that hold page numbers, running headers and running footers.

    A running line stands at an edge of at least three pages, its digits aside; lines that give
    units are kept, however often they recur.
    """
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(line) for line in (*page[:EDGE_LINES], *page[-EDGE_LINES:])})
    found: set[tuple[int, int]] = set()
    for number, page in enumerate(pages):
        rows = range(len(page))
        for edge in (rows[:EDGE_LINES], rows[::-1][:EDGE_LINES]):
            for row in edge:
                if not _runs(page[row], seen):
                    break
                found.add((number, row))
    return found


def without_furniture(blocks: Sequence[Block]) -> list[Block]:
    """Drop page breaks and what is printed around them; rejoin paragraphs cut by a break."""
    pages: list[list[Block]] = [[]]
    for block in blocks:
        if block is PAGE_BREAK:
            pages.append([])
        else:
            pages[-1].append(block)
    texts = [[b.text if b.kind != "table" else "|" for b in page] for page in pages]
    dropped = page_furniture(texts)
    kept: list[Block] = []
    for number, page in enumerate(pages):
        body = [block for row, block in enumerate(page) if (number, row) not in dropped]
        if kept and body and continues(kept[-1], body[0]):
            joined = f"{kept[-1].text} {body[0].text}"
            kept[-1] = Block("paragraph", joined, page=kept[-1].page, anchor=kept[-1].anchor)
            body = body[1:]
        kept += body
    return kept


def continues(before: Block, after: Block) -> bool:
    """Whether a paragraph was cut by a page break: no full stop, then no capital."""
    return (
        before.kind == after.kind == "paragraph"
        and len(before.text) > 60
        and before.text[-1] not in ".:;!?"
        and (after.text[0].islower() or before.text[-1] in ",-–")
    )


def _shape(line: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\d+", "#", line)).strip().lower()


def _runs(line: str, seen: Counter[str]) -> bool:
    if _NUMBER.fullmatch(line.strip()) or _CONTENTS_LINK.fullmatch(line.strip()):
        return True
    shape = _shape(line)
    return len(line) <= 120 and seen[shape] >= 3 and shape != "|" and not _UNITS.search(line)
