"""Frozen records that travel between stages.

Chunks and hits are LlamaIndex's ``TextNode`` and ``NodeWithScore``, so that its retrievers and
postprocessors fit; everything else that crosses a module border is here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rag_app.filters import Filters as Filters

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

BlockKind = Literal["heading", "paragraph", "table"]
BREAKS_OFF = "The file breaks off before its end; download it again."
"""The note on a filing whose file is not whole; stored filings are known by it."""


@dataclass(frozen=True, slots=True)
class Filing:
    """One filing as its cover page, iXBRL ``dei`` facts or SGML header name it."""

    company: str
    form: str
    fiscal_year: int
    period_end: dt.date
    sha256: str
    source: str
    ticker: str = ""
    cik: str = ""
    accession: str = ""
    filed: dt.date | None = None

    @property
    def key(self) -> str:
        """Identity of the filing: who, which form, which period. Safe as a folder name.

        A file on disk carries no accession number, so identity cannot rest on it; the same
        form of the same company for the same period with other bytes is an amended file.
        """
        who = self.ticker or self.cik.lstrip("0") or self.company
        parts = [who, self.form, self.period_end.isoformat()]
        if self.accession and (self.form.startswith("8-K") or self.form.endswith("/A")):
            parts.append(self.accession)  # a company may file several of these for one day
        return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-.") for part in parts)

    @property
    def title(self) -> str:
        """How the filing is named to a person: ``NVIDIA Corporation 10-K fiscal 2023``."""
        return f"{self.company} {self.form} fiscal {self.fiscal_year}"


@dataclass(frozen=True, slots=True)
class CoverFlags:
    """What the user says of a filing over what it says itself; empty fields leave that."""

    ticker: str = ""
    form: str = ""
    fiscal_year: int | None = None
    period_end: dt.date | None = None


NO_FLAGS = CoverFlags()


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a table of a filing, in reading order.

    A table's ``text`` is Markdown rows, one row a line, the first ``header_rows`` lines being
    its header; ``caption`` holds what stands above it and gives units ("in millions").
    ``level`` is a heading's depth, 1 the highest.
    """

    kind: BlockKind
    text: str
    level: int = 0
    header_rows: int = 0
    caption: str = ""
    page: int | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One Item of a filing. ``item`` is ``"7A"``, or ``""`` for what stands outside all Items."""

    item: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        """The blocks joined by blank lines; chunk offsets count into this string."""
        return "\n\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Health:
    """What the reader found, and where it is unsure.

    ``covered`` is the share of the visible letters and digits that stand in a section, or were
    left out as boilerplate; ``boilerplate`` the share of these alone. Both are None for a filing
    that was stored before they were measured.
    """

    items_found: tuple[str, ...]
    items_missing: tuple[str, ...]
    characters: int
    notes: tuple[str, ...] = ()
    covered: float | None = None
    boilerplate: float | None = None

    @property
    def breaks_off(self) -> bool:
        """Whether the file was not whole, so that Items may be missing."""
        return BREAKS_OFF in self.notes


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: characters ``start`` to ``end`` of the section at ``section``."""

    section: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One inline-XBRL fact. ``value`` is exact: sign, scale and format are applied already.

    A number is written in plain decimals, a text is the whole text, a nil fact has none.
    ``problem`` says why a value could not be read; it is then the printed text, or empty for a
    number. ``span`` is where a filing's sections show it, ``chunk_id`` the chunk that holds the
    span's start; both are empty for a hidden fact and for one in text that no section holds.
    """

    concept: str
    value: str
    numeric: bool
    period_end: dt.date | None
    period_start: dt.date | None = None
    """None for an instant."""
    unit: str = ""
    decimals: str = ""
    scale: int = 0
    sign: str = ""
    format: str = ""
    printed: str = ""
    entity: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    """Axis and member, in the order of axes."""
    nil: bool = False
    hidden: bool = False
    id: str = ""
    problem: str = ""
    span: Span | None = None
    chunk_id: str = ""


@dataclass(frozen=True, slots=True)
class ParsedFiling:
    """A filing as read: what it is, its sections, its XBRL facts, and how well that went."""

    filing: Filing
    sections: tuple[Section, ...]
    health: Health
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker in an answer and the passage that it points to."""

    marker: int
    chunk_id: str
    filing: str
    item: str
    text: str


Verdict = Literal["in passage", "equals XBRL", "derived", "contradicted", "not found"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in an answer, and what stands behind it.

    ``marker`` is the cited passage that shows it, shows its operands or says another value;
    ``detail`` says which row, fact or calculation that is (``docs/figures.md``).
    """

    text: str
    marker: int | None
    verdict: Verdict = "not found"
    detail: str = ""

    @property
    def found(self) -> bool:
        """Whether something shows the number: a passage, a fact or a calculation."""
        return self.verdict in ("in passage", "equals XBRL", "derived")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gets: text with markers, and all that stands behind it."""

    text: str
    citations: tuple[Citation, ...]
    figures: tuple[Figure, ...]
    hits: tuple[NodeWithScore, ...]
    model: str
    dim: int
    llm: str
    timings_ms: dict[str, float] = field(default_factory=dict)
    searched_for: str = ""
    """The question as it was searched: a follow-up made to stand alone."""
    filters: Filters = Filters()  # noqa: RUF009 - frozen
    unknown_markers: int = 0
    """Markers that the model set and no passage has; they are not in the text."""
    notes: tuple[str, ...] = ()
    """What the library lacks of what was asked, and what a filter keeps out."""
