"""Where facts are shown: an element of the document → a span of a section → the chunk with it.

A section's text is the document's own visible characters in their order, with blanks, bars and
bullets added and running headers left out. So the two are followed side by side without those
marks ("ink"), and a place in one is a place in the other: no figure is searched for by its text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from rag_app.filings.html import SILENT, clean
from rag_app.records import Fact, Section, Span

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode
    from lxml.html import HtmlElement

PROBES = ((32, 60_000), (12, 2_000), (4, 200))
"""Lengths to look ahead with where the two part, and how far: the shorter, the less far."""

_NO_INK = re.compile(r"[\s|•\\_=]+")
_HIDDEN = re.compile(r"display\s*:\s*none", re.I)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A run of ink that stands in the document from ``at`` and in the section's ink from ``to``."""

    at: int
    to: int
    length: int
    section: int


def with_spans(
    roots: Sequence[HtmlElement], facts: Mapping[HtmlElement, Fact], sections: Sequence[Section]
) -> tuple[Fact, ...]:
    """The facts, each with the span of the sections that shows it, if one does."""
    if not facts:
        return ()
    ink, places = _document_ink(roots, facts)
    gaps = [_gaps(section.text) for section in sections]
    stretches = sorted(_stretches(ink, sections), key=lambda stretch: stretch.at)
    starts = [stretch.at for stretch in stretches]

    def span(element: HtmlElement) -> Span | None:
        start, end = places.get(element, (0, 0))
        number = bisect_right(starts, start) - 1
        if start == end or number < 0:
            return None
        found = stretches[number]
        first = start - found.at
        if first >= found.length:
            return None
        last = found.to + min(end - found.at, found.length) - 1
        where = gaps[found.section]
        return Span(found.section, _offset(where, found.to + first), _offset(where, last) + 1)

    return tuple(replace(fact, span=span(element)) for element, fact in facts.items())


def with_chunks(
    facts: Sequence[Fact], sections: Sequence[Section], chunks: Sequence[TextNode]
) -> tuple[Fact, ...]:
    """The facts, each with the id of the chunk that holds the start of its span."""
    by_section = _chunks_by_section(sections, chunks)
    starts = [[node.metadata["start"] for node in nodes] for nodes in by_section]

    def chunk_id(span: Span | None) -> str:
        if span is None:
            return ""
        at = bisect_right(starts[span.section], span.start) - 1
        node = by_section[span.section][at] if at >= 0 else None
        return node.node_id if node is not None and span.start < node.metadata["end"] else ""

    return tuple(replace(fact, chunk_id=chunk_id(fact.span)) for fact in facts)


def _chunks_by_section(
    sections: Sequence[Section], chunks: Sequence[TextNode]
) -> list[list[TextNode]]:
    """The chunks of each section: those whose text stands in it at the offsets they name."""
    waiting = deque(chunks)
    found: list[list[TextNode]] = []
    for section in sections:
        mine: list[TextNode] = []
        text, end = section.text, 0
        while waiting:
            place = waiting[0].metadata
            fits = place["item"] == section.item and place["start"] >= end
            if not fits or text[place["start"] : place["end"]] != waiting[0].text:
                break
            end = place["end"]
            mine.append(waiting.popleft())
        found.append(mine)
    return found


def _document_ink(
    roots: Sequence[HtmlElement], wanted: Collection[HtmlElement]
) -> tuple[str, dict[HtmlElement, tuple[int, int]]]:
    """The visible ink of the documents, and from where to where in it the wanted elements stand."""
    from lxml.etree import iterwalk

    pieces: list[str] = []
    places: dict[HtmlElement, tuple[int, int]] = {}
    length = 0
    for root in roots:
        steps = iterwalk(root, events=("start", "end"))
        for event, element in steps:
            if event == "start":
                if element.tag in SILENT or _HIDDEN.search(element.get("style") or ""):
                    steps.skip_subtree()
                    continue
                if element in wanted:
                    places[element] = (length, length)
                text = element.text
            else:
                if element in places:
                    places[element] = (places[element][0], length)
                text = element.tail
            if text and (ink := _NO_INK.sub("", clean(text))):
                pieces.append(ink)
                length += len(ink)
    return "".join(pieces), places


def _gaps(text: str) -> tuple[list[int], list[int]]:
    """Of each stretch without ink, the ink before it, and all that is no ink up to its end."""
    inked, blank = [0], [0]
    for gap in _NO_INK.finditer(text):
        blank.append(blank[-1] + gap.end() - gap.start())
        inked.append(gap.end() - blank[-1])
    return inked, blank


def _offset(gaps: tuple[list[int], list[int]], ink: int) -> int:
    """Where in the text the ink of that number stands."""
    inked, blank = gaps
    return ink + blank[bisect_right(inked, ink) - 1]


def _stretches(document: str, sections: Sequence[Section]) -> Iterator[_Stretch]:
    """Follow each section's ink through the document's, over what only one of them has."""
    cursor = 0
    for number, section in enumerate(sections):
        ink = _NO_INK.sub("", section.text)
        lines = [0, *accumulate(len(_NO_INK.sub("", line)) for line in section.text.split("\n"))]
        head = ink[: PROBES[0][0] * 2]
        if (moved := document.find(head, cursor)) >= 0 or (moved := document.find(head)) >= 0:
            cursor = moved
        to = 0
        while to < len(ink):
            at = _next(document, ink, to, cursor)
            if at < 0:
                to = lines[bisect_right(lines, to)]  # this line is in the section only
                continue
            length = _common(document, at, ink, to)
            yield _Stretch(at, to, length, number)
            to, cursor = to + length, at + length


def _next(document: str, ink: str, to: int, cursor: int) -> int:
    """Where the document goes on with the section's ink; -1 if nowhere near."""
    for size, reach in PROBES:
        probe = ink[to : to + size]
        at = document.find(probe, cursor, cursor + reach + len(probe))
        if at >= 0:
            return at
    return -1


def _common(document: str, at: int, ink: str, to: int) -> int:
    """How many characters the two share from there on, in steps that grow, then shrink."""
    same, step, growing = 0, 64, True
    while step:
        shared = document[at + same : at + same + step]
        if shared and shared == ink[to + same : to + same + step]:
            same += len(shared)
            step *= 2 if growing else 1
        else:
            step, growing = step // 2, False
    return same
