"""Item borders set where a reader sees them: part headings, officers, exhibits, statements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rag_app.filings.forms import FormItem
from rag_app.records import Block, Section

MAX_REFERENCE = 2000
"""Characters up to which an Item 8 is taken to refer to statements printed elsewhere."""
MIN_STATEMENTS = 10_000
TAIL = "Signatures and exhibits"

_PART_HEADING = re.compile(
    r"part\s+(?:i{1,3}|iv)\b(?:\s*,\s*(?:i{1,3}|iv)\b)*[\s.:–—-]*"
    r"(?:(?:financial|other)\s+information)?[\s.:–—-]*",
    re.I,
)
_STATEMENTS = re.compile(
    r"(?:reports? of (?:\S+ ){0,4}independent|index to (?:the )?(?:consolidated )?financial statem"
    r"|consolidated (?:balance sheets?|statements? of)|balance sheets?$"
    r"|statements? of (?:operations|income|earnings))",
    re.I,
)
_AFTER_STATEMENTS = re.compile(
    r"(?:exhibit index|index to exhibits|exhibits?$|signatures?$|power of attorney|item 16)", re.I
)
_OFFICERS = re.compile(
    r"(?:item\s+(?:x|4a)\b[\s.:–—-]*)?(?P<title>(?:information (?:about|regarding) (?:our|the) )?"
    r"executive officers(?: of .{1,60})?)\.?",
    re.I,
)
_SIGNATURES = re.compile(r"signatures?\s*", re.I)
_EXHIBIT = re.compile(
    r"(?:exhibit|ex)[\s.–-]*(?P<number>\d{1,3}(?:\.\d{1,3})?[a-z]?(?:\([a-z0-9]\))?)(?P<title>\s.*)?",
    re.I,
)
_APPENDED = re.compile(r"(?:exhibit index|index to exhibits)|consent of independent", re.I)


def seen_borders(sections: Sequence[Section], items: Sequence[FormItem]) -> list[Section]:
    """The same blocks in the same order, cut where the print cuts them.

    A part heading opens the Item below it; a list of executive officers, an exhibit index, a
    signature page under another Item's heading, or a bound-in exhibit is a section of its own.
    """
    parted = _with_part_headings(sections)
    officers = _cut_off(parted, "Mine Safety Disclosures", _OFFICERS, items)
    unsigned = _without_signatures(officers)
    placed = with_statements(unsigned, items)
    return _with_exhibits(_cut_off(placed, "Form 10-K Summary", _APPENDED, items))


def with_statements(sections: Sequence[Section], items: Sequence[FormItem]) -> list[Section]:
    """Move statements printed behind the exhibits to the Item that only refers to them.

    Many filings say under Item 8 "see Item 15", or print the statements after the last Item. The
    part between the auditor's report, or the statements' index, and the exhibits or signatures
    becomes a second section of the Item, so that a reader who asks for Item 8 finds figures.
    """
    home = next((item for item in items if item.title.startswith("Financial Statements")), None)
    own = [section for section in sections if home and section.item == home.key]
    if home is None or len(own) != 1 or len(own[0].text) > MAX_REFERENCE:
        return list(sections)
    moved: list[Section] = []
    after = False
    for section in sections:
        holds = after and (section.item or section.title == TAIL)
        span = _statements_in(section.blocks) if holds else None
        after = after or section is own[0]
        if span is None:
            moved.append(section)
            continue
        start, stop = span
        parts = (section.blocks[:start], section.blocks[stop:])
        place = f"with Item {section.item}" if section.item else "after the signatures"
        title = f"{home.title} (printed {place})"
        for part, statements in ((parts[0], section.blocks[start:stop]), (parts[1], ())):
            if part:
                moved.append(Section(section.item, section.title, part))
            if statements:
                moved.append(Section(home.key, title, statements))
    return moved


def _with_part_headings(sections: Sequence[Section]) -> list[Section]:
    """Move "PART II" from the end of the Item above it to the Item below it."""
    moved = list(sections)
    for at, _ in enumerate(pairwise(sections)):
        blocks = moved[at].blocks
        stop = len(blocks)
        while stop > 1 and _PART_HEADING.fullmatch(blocks[stop - 1].text):
            stop -= 1
        below = moved[at + 1]
        moved[at] = replace(moved[at], blocks=blocks[:stop])
        moved[at + 1] = replace(below, blocks=(*blocks[stop:], *below.blocks))
    return moved


def _cut_off(
    sections: Sequence[Section], title: str, heading: re.Pattern[str], items: Sequence[FormItem]
) -> list[Section]:
    """Cut the Item of this title at the first such heading; the rest is outside all Items."""
    keys = {item.key for item in items if item.title == title}
    cut: list[Section] = []
    for section in sections:
        first = not any(before.item == section.item for before in cut)
        at = _first_heading(section.blocks, heading, start=int(first))
        if section.item not in keys or at is None:
            cut.append(section)
            continue
        found = heading.match(section.blocks[at].text)
        named = found.groupdict().get("title") if found else None
        if at:
            cut.append(replace(section, blocks=section.blocks[:at]))
        cut.append(Section("", named or section.blocks[at].text, section.blocks[at:]))
    return cut


def _first_heading(blocks: Sequence[Block], pattern: re.Pattern[str], start: int) -> int | None:
    heads = (at for at in range(start, len(blocks)) if blocks[at].kind == "heading")
    return next((at for at in heads if pattern.match(blocks[at].text)), None)


def _without_signatures(sections: Sequence[Section]) -> list[Section]:
    """Cut signatures, and exhibits bound in behind them, off the last section."""
    last = sections[-1] if sections else Section("", "", ())
    heads = (
        at
        for at, block in enumerate(last.blocks)
        if block.kind == "heading" and _SIGNATURES.fullmatch(block.text)
    )
    at = next(heads, 0)
    if not at or not last.item:
        return list(sections)
    tail = Section("", TAIL, last.blocks[at:])
    return [*sections[:-1], replace(last, blocks=last.blocks[:at]), tail]


def _with_exhibits(sections: Sequence[Section]) -> list[Section]:
    """Cut exhibits that are bound in behind the Items, each a section "Exhibit 31.1"."""
    cut: list[Section] = []
    for section in sections:
        outside = not section.item and any(before.item for before in cut)
        starts = [(0, section)]
        for at, block in enumerate(section.blocks):
            if not outside and section is not sections[-1]:
                break
            before = section.blocks[at - 1] if at else None
            title = _exhibit_title(block, before, outside)
            if title not in ("", starts[-1][1].title):
                starts.append((at, Section("", title, ())))
        for (start, whose), (stop, _) in pairwise([*starts, (len(section.blocks), section)]):
            if start < stop:
                cut.append(replace(whose, blocks=section.blocks[start:stop]))
    return cut


def _exhibit_title(block: Block, before: Block | None, outside: bool) -> str:
    """What an exhibit that opens with this block is called; "" where none does.

    Outside the Items its number alone is enough; within the last Item, whose list of exhibits
    has such lines too, it has to open a page.
    """
    found = _EXHIBIT.fullmatch(block.text)
    if not found or block.kind == "table":
        return ""
    alone = not found["title"]
    opens_page = before is not None and before.page != block.page
    opens = (alone or (opens_page and block.kind == "heading")) if outside else alone and opens_page
    return f"Exhibit {found['number']}" if opens else ""


def _statements_in(blocks: Sequence[Block]) -> tuple[int, int] | None:
    """Where statements start and stop among blocks; None where there are none."""
    heads = [at for at, block in enumerate(blocks) if block.kind == "heading"]
    start = next((at for at in heads if _STATEMENTS.match(blocks[at].text)), None)
    if start is None:
        return None
    stop = next(
        (at for at in heads if at > start and _AFTER_STATEMENTS.match(blocks[at].text)), len(blocks)
    )
    size = sum(len(block.text) for block in blocks[start:stop])
    return (start, stop) if size > MIN_STATEMENTS else None
