"""A passage for the eye: its heading path as a caption, its tables as tables, and what supports a
statement lit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from llama_index.core.schema import TextNode

from rag_app.chat.rows import cells_of, head_count, is_amount, is_group, is_row
from rag_app.chat.support import Part, supporting_parts
from rag_app.filings.levels import INDENT, level_of
from rag_app.ui.markdown import LIT, UNLIT, lit_markdown, without_lights, written_markdown

HEADING_LINES = 5  # a heading, perhaps the one above it, and the blank lines between


def place_of(node: TextNode) -> str:
    """Where in its filing a passage stands: ``Item 7. Management's ... > Liquidity``."""
    path = node.metadata["prefix"].partition("\n")[0]
    filing, _, place = path.partition(" > ")
    return str(place or filing)


def supporting(node: TextNode, statements: Iterable[str]) -> tuple[Part, ...]:
    """The sentences and rows of a chunk that support statements, in reading order."""
    lines, first = _shown_lines(node)
    parts = {part for said in statements for part in supporting_parts(said, lines, first)}
    return tuple(sorted(parts, key=lambda part: (part.line, lines[part.line].find(part.text))))


def passage_markdown(node: TextNode, lit: Iterable[Part] = ()) -> str:
    """The chunk as written, with the caption and column heads that a continued table repeats.

    The parts ``lit`` stand out. Stored rows have no rule under their heads, which Markdown wants;
    it is put in here only.
    """
    lines, _ = _shown_lines(node)
    for part in lit:
        line = lines[part.line]
        lines[part.line] = _lit_row(line) if is_row(line) else _lit(line, part.text)
    parts = []
    for rows, group in groupby(lines, key=is_row):
        if rows:
            parts.append(table_markdown(list(group)))
        else:
            text = "\n".join(group).strip("\n")
            parts += [written_markdown(part) for part in text.split("\n\n") if part.strip()]
    return lit_markdown("\n\n".join(parts))


def _shown_lines(node: TextNode) -> tuple[list[str], int]:
    """The lines of a passage, and how many of them are repeated from before the chunk."""
    repeated = node.metadata["prefix"].split("\n")[1:]
    return [without_lights(line) for line in [*repeated, *_without_heading(node)]], len(repeated)


def _lit(line: str, part: str) -> str:
    return line.replace(part, f"{LIT}{part}{UNLIT}", 1)


def _lit_row(row: str) -> str:
    """A row with each of its cells lit; its label stands in by its level as before."""
    cells = (f"{LIT}{cell}{UNLIT}" if cell else "" for cell in cells_of(row))
    written = (cell.replace("|", "\\|") for cell in cells)
    return f"| {INDENT * level_of(row)}{' | '.join(written)} |"


def _without_heading(node: TextNode) -> list[str]:
    """The chunk's lines behind the headings that it begins with: ``place_of`` shows them."""
    lines = node.text.split("\n")
    heading = node.metadata["heading_path"].rsplit(" > ", 1)[-1]
    if heading in lines[:HEADING_LINES]:
        at = lines.index(heading)
        return lines[at + 1 :] or lines
    return lines


def table_markdown(rows: Sequence[str]) -> str:
    """Stored rows as a Markdown table: amounts to the right, heads and group names in bold.

    Labels stand in by their level; Markdown drops blanks at a cell's edge but no-break ones.
    """
    table = [cells_of(row) for row in rows]
    width = max(map(len, table))
    heads = max(1, head_count(table))
    amounts = [
        any(is_amount(cells[at]) for cells in table[heads:] if at < len(cells))
        for at in range(width)
    ]
    rule = "|" + "|".join("---:" if right else ":---" for right in amounts) + "|"
    lines = []
    for number, cells in enumerate(table):
        shown = [written_markdown(cell) for cell in cells] + [""] * (width - len(cells))
        if 0 < number < heads or (number and is_group(cells)):
            shown = [f"**{cell}**" if cell else "" for cell in shown]
        lines.append(f"| {INDENT * level_of(rows[number])}{' | '.join(shown)} |")
    return "\n".join([lines[0], rule, *lines[1:]])
