"""The line or two put before a chunk: whose it is, where it stands, and a table's header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rag_app.filings.style import is_units
from rag_app.records import Block, Filing, Section

MAX_HEADING_WORDS = 16


class TokenCount:
    """Counts tokens once a text; ``special`` is what the model adds to each text."""

    def __init__(self, count_tokens: Callable[[Sequence[str]], list[int]]) -> None:
        self._count = count_tokens
        self.special = count_tokens([""])[0]
        self._known: dict[str, int] = {"": 0}

    def learn(self, texts: Iterable[str]) -> None:
        """Count many texts in one call."""
        new = list({text for text in texts if text not in self._known})
        if new:
            counts = self._count(new)
            self._known.update(
                (text, count - self.special) for text, count in zip(new, counts, strict=True)
            )

    def plain(self, text: str) -> int:
        """Tokens of a text without the special ones."""
        if text not in self._known:
            self.learn([text])
        return self._known[text]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk stands: filing, Item, headings above it, and the table it is of."""

    filing: Filing
    section: Section
    headings: tuple[str, ...]
    table: Block | None


def passage_prefix(
    place: Place, tokens: TokenCount, max_tokens: int, *, label: str, continued: bool
) -> str:
    """The richest prefix that leaves at least half of ``max_tokens`` to the chunk itself.

    A ``continued`` table repeats its caption, its header rows and the ``label`` row that the
    chunk's rows stand under; a first chunk holds them itself.
    """
    limit = max_tokens // 2
    for lines in _variants(place, label, continued):
        prefix = "\n".join(line for line in lines if line)
        if tokens.plain(prefix) <= limit:
            return prefix
    return ""


def _variants(place: Place, label: str, continued: bool) -> Iterable[Sequence[str]]:
    """Prefixes from the richest to the poorest."""
    path = _path(place, place.headings)
    short = _path(place, place.headings[-1:])
    if continued and place.table:
        header = place.table.text.split("\n")[: place.table.header_rows]
        units = _units(place.table.caption)
        yield path, place.table.caption, *header, label
        yield short, units, *header, label
        yield short, units, *header
        yield short, units, _cut("\n".join(header), 30)
        yield _path(place, ()), units, _cut("\n".join(header), 12)
    yield (path,)
    yield (short,)
    yield (_path(place, ()),)
    yield (place.filing.company,)


def _path(place: Place, headings: Sequence[str]) -> str:
    """``NVIDIA Corporation 10-K fiscal 2023, Item 7 Management's ... > Liquidity``."""
    section = place.section
    named = f"Item {section.item}. {section.title}" if section.item else section.title
    steps = [_cut(step, MAX_HEADING_WORDS) for step in (named, *headings) if step]
    return " > ".join([place.filing.title, *steps])


def _units(caption: str) -> str:
    """The part of a caption that gives units, if there is one."""
    for start in range(len(caption)):
        if caption[start] == "(" and is_units(caption[start:]):
            return caption[start:]
    return caption if is_units(caption) else ""


def _cut(text: str, words: int) -> str:
    parts = text.split(" ")
    return text if len(parts) <= words else " ".join(parts[:words]) + " …"
