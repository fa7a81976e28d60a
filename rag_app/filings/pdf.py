"""PDF → blocks: printed lines with their places, then paragraphs, headings and tables."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag_app.errors import FilingError
from rag_app.filings.furniture import PAGE_BREAK, page_furniture, without_furniture
from rag_app.filings.pdflines import Line, page_items
from rag_app.filings.style import Paragraph, Style, rank_headings
from rag_app.filings.tables import Cell, parted
from rag_app.records import Block

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage

MIN_LETTERS_PER_PAGE = 40
"""Fewer on average, and the pages are pictures: a scan without a text layer."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


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
    return without_furniture(rank_headings(items))


def printed_lines(data: bytes) -> Iterator[str]:
    """Every line of every page as the PDF library gives it, furniture included, in page order."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        for page in document:
            yield from page.get_textpage().get_text_range().replace("\ufffe", "-").splitlines()
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
    reader = _CharReader(page.get_textpage())
    for match in re.finditer(r"[^\r\n]+", reader.text):
        if line := reader.line(match.start(), match.end()):
            yield line
    page.close()


class _CharReader:
    """Looks up where the characters of a page's text stand and how they look."""

    def __init__(self, page: PdfTextPage) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium = pdfium
        self._page = page
        # pdfium writes U+FFFE for a hyphen at a line's end.
        self.text: str = page.get_text_range().replace("\ufffe", "-")
        self._box = tuple(ctypes.c_double() for _ in range(4))
        self._fonts: dict[str, tuple[bool, bool]] = {}
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()

    def line(self, start: int, end: int) -> Line | None:
        """The printed line of these characters, cut into cells at wide gaps; None if blank."""
        places = [i for i in range(start, end) if not self.text[i].isspace()]
        if not places:
            return None
        first, last = places[0], places[-1]
        left, right = self._edges(first)[0], self._edges(last)[1]
        text = _CONTROL.sub("", self.text[first : last + 1])
        width = (right - left) / max(1, last - first + 1)
        looks = [self._looks(first), self._looks(last)]
        style = Style(
            bold=all(bold for bold, _ in looks),
            italic=all(italic for _, italic in looks),
            size=round(self._pdfium.FPDFText_GetFontSize(self._page, first), 1),
        )
        cells = tuple(self._cells(first, last + 1, 2 * width, style.bold))
        return Line(" ".join(text.split()), left, right, self._baseline(first), style, cells)

    def _cells(self, start: int, end: int, gap: float, bold: bool) -> Iterator[Cell]:
        """Stretches of a line with at least ``gap`` points between them."""
        printed = self.text[start:end]
        words = [(start + m.start(), start + m.end()) for m in re.finditer(r"\S+", printed)]
        if len(words) > 14 and not any(char.isdigit() for char in printed):
            # Prose: looking up where its words stand would double the time a PDF takes.
            yield Cell(" ".join(printed.split()), 0, 1)
            return
        first, left = start, self._edges(start)[0]
        for (_, stop), following in zip(words, [*words[1:], None], strict=True):
            right = self._edges(stop - 1)[1]
            ahead = self._edges(following[0])[0] if following else 0.0
            if following is None or ahead - right > gap or ahead < left:
                text = " ".join(_CONTROL.sub("", self.text[first:stop]).split())
                yield from parted(Cell(text, left, right, bold))
                if following:
                    first, left = following[0], ahead

    def _edges(self, at: int) -> tuple[float, float]:
        left, right, bottom, top = self._box
        self._pdfium.FPDFText_GetCharBox(self._page, at, left, right, bottom, top)
        return left.value, right.value

    def _baseline(self, at: int) -> float:
        x, y, *_ = self._box
        self._pdfium.FPDFText_GetCharOrigin(self._page, at, x, y)
        return y.value

    def _looks(self, at: int) -> tuple[bool, bool]:
        """Whether a character's font is bold, and whether it is italic."""
        self._pdfium.FPDFText_GetFontInfo(self._page, at, self._name, 128, self._flags)
        name = self._name.value.decode("utf-8", "replace").lower()
        if name not in self._fonts:
            bold = "bold" in name or "black" in name or "heavy" in name or name.endswith("-bd")
            self._fonts[name] = (bold, "italic" in name or "obl" in name)
        return self._fonts[name]
