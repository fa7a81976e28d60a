"""What is printed on every page and belongs to none: page numbers, running headers, footers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag_app.records import Block

PAGE_BREAK = Block("paragraph", "\f")
EDGE_LINES = 4
NEAR_PAGES = 6
MIN_COUNTED = 5
MAX_LINE = 120

_NUMBER = re.compile(
    r"(?:page\s*)?[-–—(\[]*\s*(?:[A-Z]{1,2}\s?-\s?)?(?:\d{1,3}|[ivxl]{1,6})\s*[-–—)\]]*"
    r"(?:\s*of\s*\d{1,3})?|(?:\(\w\)\s*){2,}",
    re.I,
)
_CONTENTS_LINK = re.compile(r"(?:back to |return to )?(?:table of )?(?:contents|index)", re.I)
_KEPT = re.compile(
    r"\b(?:in|of) (?:millions|thousands|billions)\b|\bended\b|[$€£%]|\d,\d{3}"
    r"|^(?:exhibit|ex)[\s.-]*\d|\b(?:see|refer to)\b.*\bnotes?\b|\baccompanying notes\b",
    re.I,
)


def page_furniture(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """The (page, line) places that hold page numbers, running headers and running footers.

    A running line stands at the same distance from the same edge on at least three of the pages
    around, its page number aside. Lines with figures, those that give units, exhibits' numbers and
    the statements' "See accompanying notes" are kept; and a document of one page has no furniture.
    """
    if len(pages) < 2:
        return set()
    places: dict[tuple[str, int], list[int]] = {}
    for number, page in enumerate(pages):
        for row, place in _edges(page):
            for shape in _shapes(page[row]):
                places.setdefault((shape, place), []).append(number)
    found: set[tuple[int, int]] = set()
    for number, page in enumerate(pages):
        inside: set[bool] = set()
        for row, place in _edges(page):
            near = max(
                (
                    sum(abs(other - number) <= NEAR_PAGES for other in places[shape, place])
                    for shape in _shapes(page[row])
                ),
                default=0,
            )
            line = page[row].strip()
            runs = near >= 3 or _NUMBER.fullmatch(line) or _CONTENTS_LINK.fullmatch(line)
            if runs and (place < 0) not in inside:
                found.add((number, row))
            else:
                inside.add(place < 0)  # what stands further in belongs to the text
    return found


def without_furniture(blocks: Sequence[Block]) -> list[Block]:
    """Drop page breaks and what is printed around them; rejoin paragraphs cut by a break."""
    pages: list[list[Block]] = [[]]
    for block in _with_counted_pages(blocks):
        if block is PAGE_BREAK:
            pages.append([])
        else:
            pages[-1].append(block)
    texts = [[_line(block) for block in page] for page in pages]
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


def _line(block: Block) -> str:
    """A block as a line of its page; a table's only row may be a footer set in cells."""
    if block.kind != "table":
        return block.text
    return "|" if "\n" in block.text else block.text.replace("|", " ")


def _with_counted_pages(blocks: Sequence[Block]) -> list[Block]:
    """Page breaks in place of page numbers, where a document marks its pages by these alone."""
    if sum(block is PAGE_BREAK for block in blocks) >= MIN_COUNTED:
        return list(blocks)
    numbers = [at for at, b in enumerate(blocks) if b.kind != "table" and b.text.isdecimal()]
    counted = {
        at
        for one, two in pairwise(numbers)
        if int(blocks[two].text) == int(blocks[one].text) + 1
        for at in (one, two)
    }
    if len(counted) < MIN_COUNTED:
        return list(blocks)
    return [PAGE_BREAK if at in counted else block for at, block in enumerate(blocks)]


def continues(before: Block, after: Block) -> bool:
    """Whether a paragraph was cut by a page break: no full stop, then no capital."""
    return (
        before.kind == after.kind == "paragraph"
        and len(before.text) > 60
        and before.text[-1] not in ".:;!?"
        and (after.text[0].islower() or before.text[-1] in ",-–")
    )


def _edges(page: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Rows at the edges of a page with their places: 0, 1 ... from the top, -1, -2 ... below."""
    depth = min(EDGE_LINES, len(page))
    yield from ((row, row) for row in range(depth))
    yield from ((len(page) - row, -row) for row in range(1, depth + 1))


def _shapes(line: str) -> set[str]:
    """The line without its first or its last number, which may be the page's."""
    line = " ".join(line.split()).lower()
    if len(line) > MAX_LINE or line == "|" or _KEPT.search(line):
        return set()
    return {re.sub(r"\d+", "#", line, count=1), re.sub(r"\d+(?=\D*$)", "#", line)}
