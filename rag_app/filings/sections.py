"""Blocks → Items: true headings told from contents lines, running headers and cross-references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_app.filings.borders import seen_borders
from rag_app.filings.captions import with_captions
from rag_app.filings.forms import FormItem
from rag_app.records import Block, Section

MAX_TITLE = 300
MAX_PRINTED = 160
"""Characters of a printed title beyond which the form's is shown."""
FULL_BODY = 3000
"""Characters of text below a heading beyond which more says nothing about its being one."""

_ITEM = re.compile(
    r"(?:part\s+(?P<part>i{1,3}|iv)\b[\s,.:;–—-]*)?items?\s*(?P<number>\d{1,2}(?:\.\d\d)?\s?[a-k]?)\b"
    r"(?P<also>(?:\s*(?:,|and|&|through|-|–)\s*(?:items?\s*)?\d{1,2}[a-k]?\b)*)"
    r"(?P<dots>[\s.:;()–—-]*)(?P<title>.*)",
    re.I | re.S,
)
_PART = re.compile(r"part\s+(i{1,3}|iv)\b[\s.:–—-]*(?P<rest>.*)", re.I | re.S)
_CROSS_REFERENCE = re.compile(r"(?:of|in|and|to|for|is|are|above|below|under|herein)\b|[,)\]”\"]")

_UNITS = re.compile(r"\s*\((?:dollars|amounts?|shares|in)\b[^()]*\)$", re.I)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A heading; from ``at`` to ``opens`` stands the page's running "Item 7A" above it."""

    at: int
    opens: int
    rank: int
    item: FormItem
    also: tuple[FormItem, ...]
    title: str
    weight: int


def split_sections(
    blocks: Sequence[Block], items: Sequence[FormItem]
) -> tuple[list[Section], tuple[str, ...]]:
    """Cut blocks into Items; what stands before the first is a section with item "".

    Every block lands in exactly one section, but for lines of a table of contents. The second
    value names all Items found, in the form's order: a heading "Items 1 and 2" finds two.

    Of all lines that look like an Item's heading, those are taken that follow the form's order
    and have the most text below them: contents lines have next to none.
    """
    candidates = item_headings(blocks, items)
    chosen = _best_order(candidates)
    dropped = _contents_lines(blocks, candidates, chosen)
    dropped |= {at for head in chosen for at in range(head.at, head.opens)}
    borders = [0, *(candidate.at for candidate in chosen), len(blocks)]
    sections = []
    for number, (start, stop) in enumerate(pairwise(borders)):
        body = tuple(with_captions(blocks[i] for i in range(start, stop) if i not in dropped))
        if not body:
            continue
        head = chosen[number - 1] if number else None
        sections.append(Section(head.item.key, head.title, body) if head else Section("", "", body))
    found = {item.key for head in chosen for item in (head.item, *head.also)}
    keys = tuple(item.key for item in items if item.key in found)
    return seen_borders(sections, items), keys


def item_headings(blocks: Sequence[Block], items: Sequence[FormItem]) -> list[Candidate]:
    """Every line that could be an Item's heading, weighed by the text up to the next one."""
    by_number: dict[tuple[str, str], tuple[int, FormItem]] = {
        (item.part, item.number): (rank, item) for rank, item in enumerate(items)
    }
    two_parts = any(item.part for item in items)
    part = ""
    heads: list[tuple[int, int, FormItem, tuple[FormItem, ...], str]] = []
    for at, block in enumerate(blocks):
        if block.kind == "table":
            continue
        if two_parts and (named := _PART.match(block.text)) and len(block.text) < 80:
            part = "II" if named[1].upper() != "I" else ""
        match = _ITEM.match(block.text)
        if not match:
            continue
        if two_parts and match["part"]:
            part = "II" if match["part"].upper() != "I" else ""
        number = re.sub(r"\s", "", match["number"]).upper()
        if (part, number) not in by_number or not _heads(block, match, by_number[part, number][1]):
            continue
        rank, item = by_number[part, number]
        also = tuple(
            by_number[part, other.upper()][1]
            for other in re.findall(r"\d{1,2}[A-Ka-k]?\b", match["also"])
            if (part, other.upper()) in by_number
        )
        heads.append((at, rank, item, also, _title(match["title"], blocks, at, item)))
    sizes = [len(block.text) for block in blocks]
    candidates: list[Candidate] = []
    for index, (at, rank, item, also, title) in enumerate(heads):
        if index and heads[index - 1][1] == rank:
            continue  # "Item 8 (continued)": a running header within the Item
        opens = at
        following = heads[index + 1] if index + 1 < len(heads) else None
        if following and following[0] == at + 1 and following[1] == rank:
            opens, _, item, also, title = following
        stop = next((h[0] for h in heads[index + 1 :] if h[1] != rank), len(blocks))
        below = sum(sizes[at + 1 : stop]) + max(0, sizes[at] - MAX_TITLE)
        weight = min(below, FULL_BODY) + (60 if blocks[at].kind == "heading" else 0) + 1
        candidates.append(Candidate(at, opens, rank, item, also, title, weight))
    return candidates


def _heads(block: Block, match: re.Match[str], item: FormItem) -> bool:
    """Whether a line that begins "Item N" is a heading rather than a sentence about the Item."""
    title = match["title"].strip()
    if not title:
        return True
    if not match["dots"].strip() and (title[0].islower() or _CROSS_REFERENCE.match(title)):
        return False
    if title[0] in ',)]”"“‘':
        return False
    same_title = _words(title)[:1] == _words(item.title)[:1]
    return same_title or (len(block.text) <= MAX_TITLE and not title[0].islower())


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _title(printed: str, blocks: Sequence[Block], at: int, item: FormItem) -> str:
    """The heading's own title where it is one; the form's where it is missing or runs on."""
    official = _words(f"{item.title} {item.rest}")
    title = printed
    for block in blocks[at + 1 : at + 4]:
        follows = (_words(title)[-1:] + _words(block.text)[:1]) in map(list, pairwise(official))
        if not follows or block.kind != "heading":
            break
        title = f"{title} {block.text}"  # a title printed over several lines
    title = re.sub(r"\s+", " ", title).strip(" .:–—-")
    title = re.sub(r"\s*\(continued\)$", "", title, flags=re.I)
    title = _UNITS.sub("", title) if len(title) > MAX_PRINTED else title
    length = len(_words(item.title))
    if _words(title)[:length] == _words(item.title):
        last = list(re.finditer(r"[A-Za-z]+", title))[length - 1]
        after = title[last.end() :]
        goes_on = _words(after)[:1] in (["and"], _words(item.rest)[:1]) or after.lstrip()[:1] == "("
        title = title if goes_on else title[: last.end()]  # a heading below it, in the same line
    return title if 3 <= len(title) <= MAX_PRINTED else item.title


def _best_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates in the form's order whose bodies weigh most together."""
    best: list[int] = []
    previous: list[int] = []
    for index, candidate in enumerate(candidates):
        before = [i for i in range(index) if candidates[i].rank < candidate.rank]
        link = max(before, key=lambda i: best[i], default=-1)
        best.append(candidate.weight + (best[link] if link >= 0 else 0))
        previous.append(link)
    chosen: list[Candidate] = []
    index = max(range(len(best)), key=lambda i: best[i], default=-1)
    while index >= 0:
        chosen.insert(0, candidates[index])
        index = previous[index]
    return chosen


def _contents_lines(
    blocks: Sequence[Block], candidates: Sequence[Candidate], chosen: Sequence[Candidate]
) -> set[int]:
    """Places of a table of contents that is set as lines: Items passed over before the first."""
    first = chosen[0].at if chosen else 0
    passed = [candidate for candidate in candidates if candidate.at < first]
    if len(passed) < 4:
        return set()
    lines = {candidate.at for candidate in passed}
    inside = range(min(lines), max(lines) + 1)
    return {at for at in inside if len(blocks[at].text) <= MAX_TITLE}
