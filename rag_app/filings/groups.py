"""A section's blocks → groups that may share a chunk: a heading's text, a table and its lead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_app.records import Block, Section

_ITEM_HEADING = re.compile(r"(?:part\s+[ivx]+|items?\s+\d)", re.I)


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring blocks that may share a chunk: one heading's text, or a table and its lead.

    Headings that end a section, with nothing below them, end its last group.
    """

    blocks: tuple[tuple[int, Block], ...]
    headings: tuple[str, ...]

    @property
    def table(self) -> Block | None:
        """The table of the group, if it has one."""
        return next((block for _, block in self.blocks if block.kind == "table"), None)


def groups(section: Section) -> list[Group]:
    """Cut a section's blocks at headings and around tables."""
    found: list[Group] = []
    path: list[tuple[int, str]] = []
    open_blocks: list[tuple[int, Block]] = []
    at = 0

    def close(blocks: Sequence[tuple[int, Block]]) -> None:
        found.append(Group(tuple(blocks), tuple(text for _, text in path)))

    for block in section.blocks:
        placed = (at, block)
        at += len(block.text) + 2
        if block.kind == "heading":
            if any(b.kind != "heading" for _, b in open_blocks):
                close(open_blocks)
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
                close(open_blocks[:lead])
            close([*open_blocks[lead:], placed])
            open_blocks = []
        else:
            open_blocks.append(placed)
    if found and all(block.kind == "heading" for _, block in open_blocks):
        found[-1] = replace(found[-1], blocks=(*found[-1].blocks, *open_blocks))
    elif open_blocks:
        close(open_blocks)
    return found
