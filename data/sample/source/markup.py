"""The blocks a filing is made of (paragraphs, headings, tables) and their XHTML."""

import re
from dataclasses import dataclass, field
from typing import Literal

from ixbrl import Dims, Facts

FONT = "font-family:'Times New Roman',serif"
Kind = Literal["money", "shares", "count", "eps", "percent"]


@dataclass(frozen=True)
class Num:
    """One figure of a table; with a concept it becomes an inline-XBRL fact."""

    value: float
    kind: Kind = "money"
    concept: str = ""
    year: int = 0
    instant: bool = False
    dims: Dims = ()
    flip: bool = False
    dollar: bool = False


@dataclass
class Row:
    """One table row; style is 'plain', 'head' (bold label), 'sum' or 'total'."""

    label: str
    cells: list[Num | str | None] = field(default_factory=list)
    style: str = "plain"
    indent: int = 0


@dataclass
class Table:
    """A table with stacked header rows; each header cell is (text, columns it spans)."""

    heads: list[list[tuple[str, int]]]
    rows: list[Row]
    columns: int


@dataclass
class Para:
    """A paragraph; style is 'body', 'bullet', 'note', 'center', 'right' or 'big'."""

    text: str
    style: str = "body"


@dataclass
class Heading:
    """A bold line; level 0 is a Part, 1 an Item, 2 a section, 3 a sub-section."""

    text: str
    level: int
    anchor: str = ""


@dataclass
class PageBreak:
    """Ends the printed page."""


@dataclass
class Contents:
    """Where the table of contents goes; the layout fills it in."""


Block = Para | Heading | Table | PageBreak | Contents

PARA_STYLES = {
    "body": ("margin-bottom:9pt;text-align:justify", "font-size:10pt;font-weight:400"),
    "bullet": ("margin-bottom:6pt;padding-left:36pt;text-indent:-18pt", "font-size:10pt"),
    "note": ("margin-bottom:4pt;padding-left:18pt;text-indent:-18pt", "font-size:8pt"),
    "center": ("margin-bottom:3pt;text-align:center", "font-size:10pt"),
    "right": ("text-align:right", "font-size:10pt"),
    "big": ("margin-bottom:4pt;text-align:center", "font-size:14pt;font-weight:700"),
}
HEADING_STYLES = (
    ("margin:12pt 0;text-align:center", "font-size:12pt;font-weight:700"),
    ("margin:10pt 0 8pt 0", "font-size:11pt;font-weight:700"),
    ("margin:8pt 0 6pt 0", "font-size:10pt;font-weight:700"),
    ("margin:6pt 0", "font-size:10pt;font-style:italic;font-weight:700"),
)


def span(text: str, style: str) -> str:
    """A styled run of text, as EDGAR documents carry it."""
    return f'<span style="color:#000000;{FONT};{style};line-height:120%">{text}</span>'


def bold_runs(text: str, style: str) -> str:
    """Spans for a paragraph in which **words** stand in bold."""
    runs = re.split(r"\*\*(.+?)\*\*", text)
    return "".join(
        span(run, style + (";font-weight:700;font-style:italic" if i % 2 else ""))
        for i, run in enumerate(runs)
        if run
    )


def render_para(block: Para) -> str:
    """A div with styled spans."""
    outer, inner = PARA_STYLES[block.style]
    text = "&#8226;&#160;&#160;&#160;" + block.text if block.style == "bullet" else block.text
    return f'<div style="{outer}">{bold_runs(text, inner)}</div>'


def render_heading(block: Heading) -> str:
    """A bold div, with an empty anchor div in front where the contents link to it."""
    outer, inner = HEADING_STYLES[block.level]
    anchor = f'<div id="{block.anchor}"></div>' if block.anchor else ""
    return f'{anchor}<div style="{outer}">{span(block.text, inner)}</div>'


def _shown(num: Num) -> str:
    """The figure's digits without sign."""
    size = abs(num.value)
    if num.kind == "eps":
        return f"{size:.2f}"
    if num.kind == "percent" or not isinstance(size, int):
        return f"{size:,.1f}"
    return f"{size:,d}" if size else "&#8212;"


def _tagged(num: Num, facts: Facts, scale: int) -> str:
    """The figure as an inline-XBRL fact, or bare where it has no concept."""
    shown = _shown(num)
    if not num.concept or not num.value:
        return shown
    unit, power = {
        "money": ("usd", scale),
        "shares": ("shares", scale),
        "eps": ("usdPerShare", 0),
        "percent": ("pure", -2),
    }.get(num.kind, ("pure", 0))
    digits = len(shown.partition(".")[2])
    return facts.number(
        shown,
        num.concept,
        num.year,
        instant=num.instant,
        unit=unit,
        scale=power,
        decimals=digits - power,
        negative=(num.value < 0) != num.flip,
        dims=num.dims,
    )


def _cell(cell: Num | str | None, style: str, css: str, facts: Facts, scale: int) -> str:
    """The four td of one data column: gap, currency sign, figure, closing sign."""
    font = "font-size:9pt" + (";font-weight:700" if style == "total" else "")
    gap = f'<td style="{css};padding:0 4pt"></td>'
    line = css
    if style in ("sum", "total"):
        line += ";border-top:1pt solid #000000"
    if style == "total":
        line += ";border-bottom:3pt double #000000"
    if cell is None:
        return gap + f'<td colspan="3" style="{css};padding:2px 1pt"></td>'
    if isinstance(cell, str):
        return gap + (
            f'<td colspan="3" style="{css};padding:2px 1pt;text-align:center">'
            f"{span(cell, font)}</td>"
        )
    opening = "(" if cell.value < 0 else ""
    tail = ")" if cell.value < 0 else ""
    if cell.kind == "percent":
        tail += "%"
    sign = span("$", font) if cell.dollar else ""
    return gap + (
        f'<td style="{line};padding:2px 0 2px 1pt">{sign}</td>'
        f'<td style="{line};padding:2px 0;text-align:right">'
        f"{span(opening + _tagged(cell, facts, scale), font)}</td>"
        f'<td style="{line};padding:2px 1pt 2px 0">{span(tail, font) if tail else ""}</td>'
    )


def render_table(table: Table, facts: Facts, scale: int) -> str:
    """A table in EDGAR's manner: a row of widths, header rows, then shaded rows."""
    wide = 100 - 13 * table.columns if table.columns < 5 else 36
    each = (100 - wide) / table.columns
    parts = [f'<td style="width:{wide}%"></td>']
    parts += [
        f'<td style="width:1%"></td><td style="width:1%"></td>'
        f'<td style="width:{each - 3:.1f}%"></td><td style="width:1%"></td>'
    ] * table.columns
    out = ["<tr>" + "".join(parts) + "</tr>"]
    for head in table.heads:
        cells = ['<td style="padding:2px 1pt"></td>']
        for text, across in head:
            rule = ";border-bottom:1pt solid #000000" if text else ""
            cells.append(
                '<td style="padding:0 4pt"></td>'
                f'<td colspan="{across * 4 - 1}" style="padding:2px 1pt;text-align:center{rule}">'
                f"{span(text, 'font-size:8pt;font-weight:700') if text else ''}</td>"
            )
        out.append("<tr>" + "".join(cells) + "</tr>")
    for i, row in enumerate(table.rows):
        css = f"background-color:{'#cceeff' if i % 2 == 0 else '#ffffff'};vertical-align:bottom"
        weight = "700" if row.style in ("head", "total") else "400"
        label = span(row.label, f"font-size:9pt;font-weight:{weight}")
        blank: list[Num | str | None] = [None] * table.columns
        out.append(
            f'<tr><td style="{css};padding:2px 1pt 2px {2 + 10 * row.indent}pt">{label}</td>'
            + "".join(_cell(cell, row.style, css, facts, scale) for cell in row.cells or blank)
            + "</tr>"
        )
    body = "".join(out)
    return (
        '<div style="margin-bottom:9pt"><table style="border-collapse:collapse;'
        f'display:inline-table;width:100%">{body}</table></div>'
    )


def prose(text: str, tables: dict[str, Table] | None = None) -> list[Block]:
    """Blocks from light markup: '## ' and '### ' headings, '* ' bullets, '~ ' notes, [[table]]."""
    blocks: list[Block] = []
    styles = {"* ": "bullet", "~ ": "note", "^ ": "center"}
    for chunk in re.split(r"\n\s*\n", text.strip()):
        line = " ".join(chunk.split())
        if line.startswith("[["):
            blocks.append((tables or {})[line.strip("[]")])
        elif line == "---":
            blocks.append(PageBreak())
        elif line.startswith("#"):
            marks, _, title = line.partition(" ")
            blocks.append(Heading(title, len(marks)))
        elif line[:2] in styles:
            blocks.append(Para(line[2:], styles[line[:2]]))
        elif line:
            blocks.append(Para(line))
    return blocks
