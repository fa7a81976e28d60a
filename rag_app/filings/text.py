"""Plain text of the 1990s → blocks: paragraphs by blank lines, tables by their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag_app.filings.contents import is_dropped
from rag_app.filings.furniture import PAGE_BREAK, without_furniture
from rag_app.filings.style import Paragraph, Style, rank_headings
from rag_app.filings.tables import Cell, is_tabular, markdown, parted
from rag_app.records import Block

PAGE_WIDTH = 80
CHARACTER = 6.0
"""Points that a character of typewriter print is wide."""

_PAGE = re.compile(r"(?im)^[ \t]*<PAGE>.*$|\f")
_RULE = re.compile(r"[\s\-_=*.~+|]*")
_TAG_LINE = re.compile(r"\s*(?:</?(?:TABLE|CAPTION|S|C|FN)>\s*)+", re.I)
_TABLE_TAG = re.compile(r"<(/?)TABLE>", re.I)
_LEADERS = re.compile(r"\.{3,}|(?:\s\.){3,}")
_CELL = re.compile(r"\S+(?: \S+)*")
_ITEM_LINE = re.compile(r"\s*items?\s+\d{1,2}[a-c]?\b", re.I)


def text_blocks(text: str) -> list[Block]:
    """Headings, paragraphs and tables in reading order; ``page`` counts ``<PAGE>`` marks."""
    items: list[Paragraph | Block] = []
    page = 0
    for part in _PAGE.split(text.expandtabs(8)):
        if not part.strip():
            continue
        if items:
            items.append(PAGE_BREAK)
        page += 1
        items += page_items(part.split("\n"), page)
    return without_furniture(rank_headings(items))


def page_items(lines: Sequence[str], page: int | None) -> Iterator[Paragraph | Block]:
    """The paragraphs and tables of a page; neighbouring tabular stanzas are one table."""
    table: list[str] = []
    for stanza, tagged in _stanzas(lines):
        if tagged or is_tabular([_cells(line) for line in stanza]):
            table += stanza
            continue
        yield from _table_items(table, page)
        table = []
        yield from _paragraphs(stanza, page)
    yield from _table_items(table, page)


def _stanzas(lines: Sequence[str]) -> Iterator[tuple[list[str], bool]]:
    """Runs of lines between blank ones or rules; the flag tells those inside ``<TABLE>``."""
    stanza: list[str] = []
    inside = tagged = False
    for line in [*lines, ""]:
        mark = _TABLE_TAG.search(line)
        if mark:
            inside = not mark[1]
        rule = bool(_RULE.fullmatch(line))
        columns = rule and len(line.split()) > 1
        if (rule and not columns) or mark:
            if stanza:
                yield stanza, tagged
            stanza = []
        elif not rule and not _TAG_LINE.fullmatch(line):
            stanza.append(line)
        tagged = inside


def _cells(line: str) -> list[Cell]:
    """A line's cells: stretches of text with two or more blanks or dot leaders between."""
    line = _LEADERS.sub(lambda match: " " * len(match[0]), line)
    stretches = (
        Cell(m[0], m.start(), m.end(), indent=m.start() * CHARACTER) for m in _CELL.finditer(line)
    )
    cells = [cell for cell in stretches if not re.fullmatch(r"[-=_]{3,}", cell.text)]
    return [part for cell in cells for part in parted(cell)]


def _table_items(lines: Sequence[str], page: int | None) -> Iterator[Paragraph | Block]:
    rows = [_cells(line) for line in lines]
    if not any(rows) or is_dropped(rows):
        return
    if max(map(len, rows)) == 1:
        yield from _paragraphs(lines, page)
        return
    text, header_rows = markdown(rows)
    yield Block("table", text, header_rows=header_rows, page=page)


def _paragraphs(stanza: Sequence[str], page: int | None) -> Iterator[Paragraph]:
    """One paragraph, an Item's heading cut off where text follows without a blank line."""
    head = 0
    if _ITEM_LINE.match(stanza[0]) and len(stanza) > 1:
        head = 1
        while head < len(stanza) and stanza[head].isupper():
            head += 1
    for part in (stanza[:head], stanza[head:]):
        if part:
            yield Paragraph(_joined(part), _style(part), page=page)


def _joined(lines: Sequence[str]) -> str:
    text = ""
    for line in lines:
        words = " ".join(line.split())
        text += words if not text or re.search(r"\w-$", text) else f" {words}"
    return text


def _style(lines: Sequence[str]) -> Style:
    """What layout says in plain text: a short line by itself is a heading, centred or not."""
    line = lines[0]
    indent = len(line) - len(line.lstrip())
    right = PAGE_WIDTH - len(line.rstrip())
    centered = indent >= 10 and abs(indent - right) <= 12
    words = line.strip()
    alone = len(lines) == 1 and len(words) <= 60 and words[-1] not in ".,;" and words[0].isupper()
    return Style(centered=centered, underline=alone)
