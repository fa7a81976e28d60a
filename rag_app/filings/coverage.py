"""How much of a document's visible text reached its sections, by a second, plain reader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_app.filings.pdf import printed_lines
from rag_app.filings.sgml import is_submission, read_submission
from rag_app.filings.source import decode
from rag_app.filings.tables import ITEM_LABEL
from rag_app.records import Section

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MIN_REPEATS = 3
MAX_BOILERPLATE_LINE = 160

_WORD = re.compile(r"[^\W_]+")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,80}>")
_MARKUP = re.compile(r"<(?:html|body|p|div|tr|font|span|br)\b", re.I)
_UNREAD = frozenset(("head", "script", "style", "title", "ix:header", "noscript", "template"))
_LINE_TAGS = frozenset(
    ("br", "center", "div", "h1", "h2", "h3", "h4", "hr", "li", "p", "pre", "table", "tr", "ul")
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_PAGE = re.compile(r"[\W_]*(?:page\s*)?(?:[A-Z]{1,2}\s?-\s?)?(?:\d{1,3}|[ivxl]{1,6})[\W_]*", re.I)
_CONTENTS = re.compile(
    r"[\s.]\(?(?:[A-Z]{1,2}-)?\d{1,3}\)?\W*$|^\W*(?:table of )?contents\W*$", re.I
)
_C1 = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Letters and digits of the visible text: all, in no section but boilerplate, in no section.

    ``unread`` counts a word as often as the sections lack it, whatever its place.
    """

    visible: int
    boilerplate: int
    unread: int

    @property
    def share(self) -> float:
        """The share that is in a section or named as boilerplate."""
        return 1 - self.unread / self.visible if self.visible else 0.0


def measure_coverage(lines: Sequence[str], sections: Sequence[Section]) -> Coverage:
    """Compare a document's visible lines with its sections, word by word.

    Boilerplate are page numbers, lines that stand on several pages but for their number, and
    lines of a table of contents; only what no section holds is called so.
    """
    visible = _words(lines)
    lost = visible - _words(section.text for section in sections)
    excused = _words(_boilerplate(lines))
    return Coverage(_letters(visible), _letters(lost & excused), _letters(lost - excused))


def visible_lines(data: bytes, sections: Sequence[Section]) -> list[str]:
    """The lines that a reader of the file sees.

    Of a submission these are its first document's and those of the exhibits that are sections;
    the other exhibits are left out of the library on purpose.
    """
    if data.lstrip()[:5] == b"%PDF-":
        return list(printed_lines(data))
    text = decode(data, "The filing")
    if not is_submission(text):
        return _document_lines(text)
    main, *others = read_submission(text).documents
    titles = {section.title for section in sections}
    exhibits = (d for d in others if f"Exhibit {d.type.upper().removeprefix('EX-')}" in titles)
    return [line for document in (main, *exhibits) for line in _document_lines(document.body)]


def _document_lines(text: str) -> list[str]:
    if _MARKUP.search(text[:50_000]):
        return list(_html_lines(text))
    return _TAG.sub(" ", text).splitlines()


def _html_lines(text: str) -> Iterator[str]:
    import lxml.html

    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.translate(_C1))
    parser = lxml.html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    root = lxml.html.document_fromstring(f"<html>{text}</html>", parser=parser)
    parts: list[str] = []
    waiting: list[tuple[HtmlElement, bool]] = [(root, False)]
    while waiting:
        element, left = waiting.pop()
        if left:
            parts += ["\n"] if element.tag in _LINE_TAGS else [" "] if element.tag == "td" else []
            parts.append(element.tail or "")
            continue
        if element.tag in _UNREAD or _HIDDEN.search(element.get("style") or ""):
            parts.append(element.tail or "")
            continue
        parts.append("\n" if element.tag in _LINE_TAGS else "")
        parts.append(element.text or "")
        waiting.append((element, True))
        waiting += [(child, False) for child in reversed(element)]
    yield from "".join(parts).split("\n")


def _words(texts: Sequence[str] | Iterator[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_WORD.findall(text.lower()))
    return counts


def _letters(words: Counter[str]) -> int:
    return sum(len(word) * count for word, count in words.items())


def _boilerplate(lines: Sequence[str]) -> Iterator[str]:
    """Lines that may be page furniture or contents; being one is no proof that it was dropped."""
    printed = [line for line in lines if line.strip()]
    short = [(at, line) for at, line in enumerate(printed) if len(line) <= MAX_BOILERPLATE_LINE]
    shapes = [_shape(line) for _, line in short]
    counts = Counter(shapes)
    for (at, line), shape in zip(short, shapes, strict=True):
        repeated = counts[shape] >= MIN_REPEATS
        # In HTML the cells of a contents row are lines: number, title, page.
        titled = not line.rstrip().endswith((".", ";", ":"))
        paged = titled and any(_PAGE.fullmatch(after) for after in printed[at : at + 3])
        if repeated or paged or _CONTENTS.search(line) or ITEM_LABEL.match(line.strip()):
            yield line


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", " ".join(line.split()).lower())
