"""PDF → blocks: printed lines with their places, then paragraphs, headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag_app.errors import FilingError
from rag_app.filings.furniture import PAGE_BREAK, page_furniture, without_furniture
from rag_app.filings.pdfchars import PageChars, page_text
from rag_app.filings.pdflines import Line, page_items
from rag_app.filings.style import Paragraph, rank_headings
from rag_app.records import Block

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

MIN_LETTERS_PER_PAGE = 40
"""Fewer on average, and the pages are pictures: a scan without a text layer."""


def pdf_blocks(data: bytes, source: str) -> list[Block]:
    """Headings, paragraphs and tables in reading order; ``page`` is the sheet, the first 1.

    Raises:
        FilingError: the PDF is damaged, encrypted, or a scan without text.
    """
    pages = _read_pages(data, source)
    letters = sum(char.isalpha() for page in pages for line in page for char in line.text)
    if letters < MIN_LETTERS_PER_PAGE * len(pages):
        raise FilingError(
            f"{source} has no text layer (a scan); run OCR on it or give the HTML from EDGAR."
        )
    dropped = page_furniture([[line.text for line in page] for page in pages])
    bold = sum(len(line.text) for page in pages for line in page if line.style.bold)
    plain = bold * 200 < letters
    items: list[Paragraph | Block] = []
    for number, page in enumerate(pages):
        if items:
            items.append(PAGE_BREAK)
        kept = [line for row, line in enumerate(page) if (number, row) not in dropped]
        items += page_items(kept, number + 1, plain=plain)
    return _with_headers(without_furniture(rank_headings(items)))


def _with_headers(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks; a table that goes on at the top of a page repeats its header there."""
    whole: list[Block] = []
    for block in blocks:
        before = whole[-1] if whole else block
        if (
            before.kind == block.kind == "table"
            and before.header_rows
            and not block.header_rows
            and before.page != block.page
            and _columns(before) == _columns(block)
        ):
            header = before.text.split("\n")[: before.header_rows]
            text = "\n".join([*header, block.text])
            block = replace(block, text=text, header_rows=before.header_rows)
        whole.append(block)
    return whole


def _columns(table: Block) -> int:
    return table.text.split("\n")[0].count(" | ")


def printed_lines(data: bytes) -> Iterator[str]:
    """Every line of every page as the PDF library gives it, furniture included, in page order."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        for page in document:
            yield from page_text(page.get_textpage()).splitlines()
    finally:
        document.close()


def _read_pages(data: bytes, source: str) -> list[list[Line]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        try:
            return [list(_page_lines(document, number)) for number in range(len(document))]
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            message = f"{source} is encrypted; save it without a password first."
        else:
            message = f"{source} is a damaged PDF ({error}); download it again."
        raise FilingError(message) from None


def _page_lines(document: PdfDocument, number: int) -> Iterator[Line]:
    page = document[number]
    reader = PageChars(page.get_textpage())
    for match in re.finditer(r"[^\r\n]+", reader.text):
        if line := reader.line(match.start(), match.end()):
            yield line
    page.close()
