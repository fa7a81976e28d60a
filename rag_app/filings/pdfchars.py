"""The characters of a PDF page: its text in words, where they stand and how they look."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag_app.filings.pdflines import Line
from rag_app.filings.style import Style
from rag_app.filings.tables import Cell, parted

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

MAX_SINGLES = 0.3
"""Share of the words that are one letter beyond which a page's words were drawn apart."""
MIN_SPACE = 0.12
"""The narrowest blank between words, in heights of their type; letters leave none."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def page_text(page: PdfTextPage) -> str:
    """The text in the library's order, its words whole."""
    return PageChars(page).text


class PageChars:
    """Looks up where the characters of a page's text stand and how they look."""

    def __init__(self, page: PdfTextPage) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium = pdfium
        self._page = page
        self._box = tuple(ctypes.c_double() for _ in range(4))
        self._fonts: dict[str, tuple[bool, bool]] = {}
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        # pdfium writes U+FFFE for a hyphen at a line's end.
        self.text: str = page.get_text_range().replace("\ufffe", "-")
        self._numbers: list[int] = []
        words = self.text.split()
        # On sparse pages pdfium mistakes the way of writing and ends a line after each letter.
        if sum(len(word) == 1 and word.isalpha() for word in words) > MAX_SINGLES * len(words):
            self.text, self._numbers = self._drawn()

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
            size=round(self._pdfium.FPDFText_GetFontSize(self._page, self._number(first)), 1),
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
                yield from parted(Cell(text, left, right, bold, indent=left))
                if following:
                    first, left = following[0], ahead

    def _drawn(self) -> tuple[str, list[int]]:
        """The text by the places of its letters, and the library's number of each character."""
        loose = self._pdfium.FS_RECTF()
        text, numbers = "", []
        right = baseline = 0.0
        for number, char in enumerate(self.text):
            if char.isspace() or self._pdfium.FPDFText_IsGenerated(self._page, number):
                continue
            self._pdfium.FPDFText_GetLooseCharBox(self._page, number, loose)
            y = self._baseline(number)
            height = loose.top - loose.bottom
            apart = loose.left - right
            ends_line = abs(y - baseline) > height / 3 or apart < -height
            blank = "\n" if ends_line else " " if apart > MIN_SPACE * height else ""
            text += f"{blank}{char}"
            numbers += [number] * (len(blank) + 1)
            right, baseline = loose.right, y
        return text, numbers

    def _number(self, at: int) -> int:
        """The library's number of the character at this place of ``text``."""
        return self._numbers[at] if self._numbers else at

    def _edges(self, at: int) -> tuple[float, float]:
        left, right, bottom, top = self._box
        number = self._number(at)
        self._pdfium.FPDFText_GetCharBox(self._page, number, left, right, bottom, top)
        return left.value, right.value

    def _baseline(self, at: int) -> float:
        x, y, *_ = self._box
        self._pdfium.FPDFText_GetCharOrigin(self._page, self._number(at), x, y)
        return y.value

    def _looks(self, at: int) -> tuple[bool, bool]:
        """Whether a character's font is bold, and whether it is italic."""
        number = self._number(at)
        self._pdfium.FPDFText_GetFontInfo(self._page, number, self._name, 128, self._flags)
        name = self._name.value.decode("utf-8", "replace").lower()
        if name not in self._fonts:
            bold = "bold" in name or "black" in name or "heavy" in name or name.endswith("-bd")
            self._fonts[name] = (bold, "italic" in name or "obl" in name)
        return self._fonts[name]
