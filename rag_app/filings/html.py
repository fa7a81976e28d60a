"""EDGAR HTML, inline XBRL or old, → blocks in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from rag_app.errors import FilingError
from rag_app.filings.contents import is_dropped
from rag_app.filings.furniture import PAGE_BREAK, without_furniture
from rag_app.filings.indents import cell_indent
from rag_app.filings.style import Paragraph, Run, Style, blend, inherit, rank_headings
from rag_app.filings.tables import Cell, is_layout, markdown
from rag_app.filings.text import page_items
from rag_app.records import Block

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div"),
        *("dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "html", "legend", "li", "main", "nav", "ol", "p", "pre", "section"),
        *("summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    )
)
SILENT = frozenset(("head", "script", "style", "title", "ix:header", "noscript", "template"))
MAX_DEPTH = 150
"""Levels of nesting that are kept; EDGAR's own documents have under 20."""
MAX_COLUMNS = 1000
"""Columns beyond which a cell's spans are not believed, nor a table laid out."""

_CONTROLS: dict[int, str | None] = {
    **dict.fromkeys((*range(9), 0x0B, *range(0x0E, 0x20), 0x7F)),  # "&#1;" is a character too
    **{code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)},
}
_PAGE_BREAK_CSS = re.compile(r"break-(?:after|before)\s*:\s*(?:always|page)")
_SPACES = re.compile(r"[\s\u200b\ufeff]+")


def parse_html(markup: str, source: str = "The document") -> HtmlElement:
    """Parse a document, however broken; an empty one gives an empty element.

    Raises:
        FilingError: libxml2 gave up in the middle, so that what follows would be lost.
    """
    import lxml.etree
    import lxml.html

    # lxml refuses text that declares an encoding; the text is decoded already.
    markup = re.sub(r"^\s*<\?xml[^>]*\?>", "", markup)
    parser = lxml.html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    root = lxml.html.document_fromstring(f"<html>{markup}</html>", parser=parser)
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise FilingError(
            f"{source} nests its elements too deeply to be read; give the filing as EDGAR has it."
        )
    # Nesting without end would exhaust the stack; what lies deeper keeps its text, not its tags.
    for brink in cast("list[HtmlElement]", root.xpath("/".join(["*"] * MAX_DEPTH))):
        lxml.etree.strip_elements(brink, *SILENT, with_tail=False)
        lxml.etree.strip_tags(brink, "*")
    return root


def html_blocks(root: HtmlElement) -> list[Block]:
    """Headings, paragraphs and tables in reading order, without what is hidden or repeated."""
    walker = _Walker()
    walker.walk(root, Style())
    walker.flush()
    return without_furniture(rank_headings(walker.items))


def clean(text: str) -> str:
    """Single spaces, no controls; C1 characters as old filings mean them, in Windows-1252."""
    return _SPACES.sub(" ", text.translate(_CONTROLS)).strip()


class _Walker:
    """Collects paragraphs and tables of an element tree."""

    def __init__(self, anchor: str = "") -> None:
        self.items: list[Paragraph | Block] = []
        self.anchor = anchor
        self._runs: list[Run] = []

    def walk(self, element: HtmlElement, parent: Style) -> None:
        """Read an element and all in it; ``parent`` is the style around it."""
        tag = element.tag
        if not isinstance(tag, str) or tag in SILENT:
            return
        css = element.get("style") or ""
        style = inherit(parent, tag, css, element.get("align") or "", element.get("size") or "")
        if style.hidden:
            return
        block = tag in _BLOCKS
        if block:
            self.flush()
            breaks = bool(css) and bool(_PAGE_BREAK_CSS.search(css.lower()))
            if breaks and "before" in css.lower():
                self.items.append(PAGE_BREAK)
        if block or tag == "a":
            self.anchor = element.get("id") or element.get("name") or self.anchor
        if tag == "table":
            self._table(element, style)
        elif tag == "pre":
            # Around 2000 tables were set in typewriter columns inside HTML.
            printed = element.text_content().translate(_CONTROLS)
            self.items += page_items(printed.expandtabs(8).split("\n"), None)
        elif tag == "br":
            self._runs.append(Run("\n", style))
        else:
            if tag == "li":
                self._runs.append(Run("• ", style))
            self._children(element, style)
        if block:
            self.flush()
            if breaks and "after" in css.lower():
                self.items.append(PAGE_BREAK)

    def _children(self, element: HtmlElement, style: Style) -> None:
        if element.text:
            self._runs.append(Run(element.text, style))
        for child in element:
            self.walk(child, style)
            if child.tail:
                self._runs.append(Run(child.tail, style))

    def flush(self) -> None:
        """End the paragraph; two line breaks in a row end one too."""
        runs, self._runs = self._runs, []
        part: list[Run] = []
        breaks = 0
        for run in runs:
            if run.text == "\n":
                breaks += 1
                if breaks > 1:
                    self._paragraph(part)
                    part = []
            elif run.text.strip():
                breaks = 0
            part.append(run)
        self._paragraph(part)

    def _paragraph(self, runs: Sequence[Run]) -> None:
        text = clean("".join(run.text for run in runs))
        if text and not re.fullmatch(r"[_=\-\s]{3,}", text):
            style = blend([run for run in runs if run.text.strip()])
            self.items.append(Paragraph(text, style, self.anchor))

    def _table(self, table: HtmlElement, style: Style) -> None:
        if table.find(".//table") is not None:
            self._cells_in_order(table, style)
            return
        grid = list(_rows(table, style, self.anchor))
        rows = [[cell for cell, _ in row] for row in grid]
        links = len(table.findall(".//a[@href]"))
        if is_dropped(rows, links):
            return
        width = max((row[-1].end for row in rows if row), default=0)
        if width > MAX_COLUMNS or is_layout(rows):
            for row in grid:
                self._layout_row([walker for _, walker in row])
            return
        text, header_rows = markdown(rows)
        if text:
            self.items.append(Block("table", text, header_rows=header_rows, anchor=self.anchor))

    def _cells_in_order(self, table: HtmlElement, style: Style) -> None:
        self._children(table, style)
        self.flush()

    def _layout_row(self, cells: Sequence[_Walker]) -> None:
        """One paragraph a row; a cell with several paragraphs keeps them apart."""
        cells = [cell for cell in cells if cell.items]
        for cell in cells:
            first, *rest = cell.items
            runs_on = cell is not cells[0] and self.items and len(self.items[-1].text) < 40
            last = self.items[-1] if self.items else None
            if runs_on and isinstance(first, Paragraph) and isinstance(last, Paragraph):
                heavier = max(first, last, key=lambda part: len(part.text)).style
                text = f"{last.text} {first.text}"
                self.items[-1] = Paragraph(text, heavier, last.anchor)
                self.items += rest
            else:
                self.items += cell.items
            self.anchor = cell.anchor


def _rows(table: HtmlElement, style: Style, anchor: str) -> Iterator[list[tuple[Cell, _Walker]]]:
    """The cells of each row with the columns they cover, row spans carried down."""
    below: dict[int, int] = {}
    for tr in table.iter("tr"):
        row_style = inherit(
            style, "tr", tr.get("style") or "", tr.get("align") or "", tr.get("size") or ""
        )
        if row_style.hidden:
            continue
        row: list[tuple[Cell, _Walker]] = []
        column = 0
        held = {at: rows - 1 for at, rows in below.items() if rows > 1}
        for td in tr:
            if td.tag not in ("td", "th"):
                continue
            while below.get(column, 0) > 0:
                column += 1
            width, height = _span(td, "colspan"), _span(td, "rowspan")
            if column + width > MAX_COLUMNS:
                width = height = 1
            walker = _Walker(anchor)
            walker.walk(td, row_style)
            walker.flush()
            paragraphs = [item for item in walker.items if isinstance(item, Paragraph)]
            text = " ".join(item.text for item in paragraphs)
            bold = bool(paragraphs) and all(item.style.bold for item in paragraphs)
            labels = bool(text) and not any(cell.text for cell, _ in row)
            indent = cell_indent(td, column) if labels else 0.0
            row.append((Cell(text, column, column + width, bold, indent), walker))
            if height > 1:
                held.update(dict.fromkeys(range(column, column + width), height - 1))
            column += width
        below = held
        yield row


def _span(cell: HtmlElement, name: str) -> int:
    digits = re.match(r"\d+", (cell.get(name) or "1").strip())
    return max(1, min(int(digits[0]), 200)) if digits else 1
