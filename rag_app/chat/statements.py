"""An answer's text → its statements: which passages each cites, and which cite none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag_app.chat.figures import numbers_in
from rag_app.chat.prompts import REFUSAL
from rag_app.chat.quotable import SENTENCE_WORDS
from rag_app.chat.quotes import NOTE
from rag_app.chat.rows import cells_of, is_amount, is_row
from rag_app.chat.text import sentences

_MARKER = re.compile(r"\s*\[(\d+)\]")
_LIST_MARK = re.compile(r"(?:[-*+•]|\d{1,2}[.)])\s+")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, a list item or a table row of an answer; ``start`` and ``end`` count into it.

    ``markers`` are those it carries, in reading order, one as often as it stands there.
    """

    text: str
    start: int
    end: int
    markers: tuple[int, ...]

    @property
    def said(self) -> str:
        """The statement without its markers and the mark of a list."""
        return _LIST_MARK.sub("", _MARKER.sub("", self.text).strip(), count=1).strip()

    @property
    def bare(self) -> bool:
        """Whether it says something and names no passage for it.

        A heading, a lead-in ("The main risks are:"), a question and the program's own sentences
        say nothing that a passage could show.
        """
        said = self.said.strip("*_# ")
        if self.markers or said in (REFUSAL, NOTE) or said.endswith((":", "?")):
            return False
        if is_row(said):
            return any(is_amount(cell) for cell in cells_of(said)[1:] if cell)
        if not _LETTER.search(said):
            return False
        return len(said.split()) >= SENTENCE_WORDS or bool(numbers_in(said))


def statements(text: str, *, quoted: bool = False) -> Iterator[Statement]:
    """The statements of an answer's text in reading order.

    In a ``quoted`` answer a line is one quote, perhaps of two sentences, with its markers behind.
    """
    at = 0
    for piece in text.splitlines() if quoted else sentences(text):
        said = piece.strip()
        if said:
            start = text.index(said, at)
            at = start + len(said)
            markers = tuple(int(number) for number in _MARKER.findall(said))
            yield Statement(said, start, at, markers)
