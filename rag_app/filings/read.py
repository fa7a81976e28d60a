"""A file on disk → ParsedFiling: its type by its content, its cover, its Items."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import FilingError
from rag_app.filings.captions import with_captions
from rag_app.filings.cover import (
    UNKNOWN,
    Cover,
    amended,
    cover_of_facts,
    cover_of_header,
    flagged_form,
    normal_form,
    to_filing,
)
from rag_app.filings.coverage import Coverage, measure_coverage, visible_lines
from rag_app.filings.doubts import doubtful_items
from rag_app.filings.facts import read_facts
from rag_app.filings.forms import form_items
from rag_app.filings.html import html_blocks, parse_html
from rag_app.filings.pdf import pdf_blocks
from rag_app.filings.printed import cover_of_text, printed_name
from rag_app.filings.sections import split_sections
from rag_app.filings.sgml import Document, is_submission, read_submission
from rag_app.filings.shown import with_spans
from rag_app.filings.source import decode, is_cut_off, printable, read_bytes
from rag_app.filings.text import text_blocks
from rag_app.records import (
    BREAKS_OFF,
    NO_FLAGS,
    Block,
    CoverFlags,
    Health,
    ParsedFiling,
    Section,
)

if TYPE_CHECKING:
    from lxml.html import HtmlElement

SHORT_ITEMS = {"1": 2000, "1A": 2000, "7": 2000, "8": 2000}
"""Characters below which one of the long Items of an annual report is suspiciously short."""

LEAST_COVERED = 0.995
"""Share of the visible text below which something may be lost."""

EXHIBITS: dict[str, tuple[str, ...]] = {"10-K": ("EX-13",), "8-K": ("EX-20", "EX-99")}
"""By form: the annual report that Items 7 and 8 of old 10-Ks refer to; the release of an 8-K."""

# Plain text has <TABLE> and <PAGE> marks of its own.
_MARKUP = re.compile(r"<(?:html|body|p|div|tr|font|span|br)\b", re.I)
_ACTIVE = re.compile(r"</?(?:script|style|iframe|object|embed|svg|img)\b[^<>]*>", re.I)
_SUBMISSION_HEAD = re.compile(r"\s*<(?:SEC-DOCUMENT|SEC-HEADER|IMS-HEADER|SUBMISSION)>")


def read_filing(
    path: Path,
    *,
    max_bytes: int,
    flags: CoverFlags = NO_FLAGS,
    listed: Cover = UNKNOWN,
) -> ParsedFiling:
    """Read a filing from iXBRL, HTML, plain text, an SGML submission or a PDF.

    Of company, form, period and the like the flags go before all, then come the ``dei`` facts,
    the SGML header, what EDGAR's list says of the filing (``listed``), and the printed cover.

    Raises:
        FilingError: the file is missing, empty, larger than ``max_bytes``, of an unknown type,
            without text, or does not say its form or period; one sentence that says what to do.
    """
    data = read_bytes(path, max_bytes)
    source = printable(path)
    given = Cover(
        ticker=flags.ticker.upper(),
        form=flagged_form(flags),
        fiscal_year=flags.fiscal_year,
        period_end=flags.period_end,
    )
    blocks, cover, exhibits, roots = _read_blocks(data, source)
    if not any(block.text.strip() for block in blocks):
        raise FilingError(f"{source} has no visible text; give the filing's main document.")
    cover = amended(cover.filled_from(listed), listed.form)
    cover = given.filled_from(cover).filled_from(cover_of_text(blocks))
    cover = replace(cover, company=printed_name(cover.company, blocks))
    filing = to_filing(cover, sha256=hashlib.sha256(data).hexdigest(), source=source)
    items = form_items(filing.form)
    sections, found = split_sections(blocks, items)
    sections = [*sections, *exhibits]
    missing = tuple(
        item.key for item in items if item.expected(filing.period_end) and item.key not in found
    )
    coverage = measure_coverage(visible_lines(data, sections), sections)
    health = Health(
        items_found=found,
        items_missing=missing,
        characters=sum(len(section.text) for section in sections),
        notes=(
            *_notes(data, sections, found, missing),
            *doubtful_items(sections, items),
            *_coverage_notes(coverage),
        ),
        covered=round(coverage.share, 5),
        boilerplate=round(coverage.boilerplate / max(1, coverage.visible), 5),
    )
    facts = with_spans(roots, read_facts(roots), sections)
    return ParsedFiling(filing, tuple(sections), health, facts)


def _read_blocks(
    data: bytes, source: str
) -> tuple[list[Block], Cover, list[Section], list[HtmlElement]]:
    """The main document's blocks, the cover as far as marked up, exhibits, and all HTML trees."""
    if data.lstrip()[:5] == b"%PDF-":
        return pdf_blocks(data, source), UNKNOWN, [], []
    text = decode(data, source)
    if not is_submission(text):
        if _SUBMISSION_HEAD.match(text) and "<DOCUMENT>" not in text:
            raise FilingError(f"{source} is a submission without documents; download it again.")
        blocks, cover, root = _document_blocks(text, source)
        return blocks, cover, [], _present(root)
    submission = read_submission(text)
    main, *others = submission.documents
    blocks, facts, root = _document_blocks(main.body, source)
    header = cover_of_header(submission.fields)
    cover = facts.filled_from(header).filled_from(Cover(form=normal_form(main.type)))
    cover = amended(cover, header.form)
    exhibits, roots = _exhibits(others, cover.form, source)
    return blocks, cover, exhibits, _present(root, *roots)


def _document_blocks(text: str, source: str) -> tuple[list[Block], Cover, HtmlElement | None]:
    if _MARKUP.search(text[:50_000]):
        root = parse_html(text, source)
        return html_blocks(root), cover_of_facts(root), root
    return text_blocks(_ACTIVE.sub("", text)), UNKNOWN, None


def _present(*roots: HtmlElement | None) -> list[HtmlElement]:
    return [root for root in roots if root is not None]


def _exhibits(
    documents: Sequence[Document], form: str, source: str
) -> tuple[list[Section], list[HtmlElement | None]]:
    """The exhibits that hold what the main document only refers to, each a section; their trees."""
    kinds = next((kinds for start, kinds in EXHIBITS.items() if form.startswith(start)), ())
    sections, roots = [], []
    for document in documents:
        if document.type.upper().startswith(kinds):
            blocks, _, root = _document_blocks(document.body, source)
            roots.append(root)
            title = f"Exhibit {document.type.upper().removeprefix('EX-')}"
            sections.append(Section("", title, tuple(with_captions(blocks))))
    return sections, roots


def _notes(
    data: bytes, sections: Sequence[Section], found: Sequence[str], missing: Sequence[str]
) -> list[str]:
    notes = []
    if is_cut_off(data):
        notes.append(BREAKS_OFF)
    if not found:
        notes.append("No Items were found; the filing is kept as one section.")
    elif missing:
        notes.append(f"Items not found: {', '.join(missing)}.")
    by_item: Counter[str] = Counter()
    for section in sections:
        by_item[section.item] += len(section.text)
    for item, least in SHORT_ITEMS.items():
        if 0 < by_item.get(item, 0) < least:
            notes.append(
                f"Item {item} has only {by_item[item]} characters; it may refer to another place."
            )
    return notes


def _coverage_notes(coverage: Coverage) -> list[str]:
    if coverage.share >= LEAST_COVERED:
        return []
    return [
        f"Only {coverage.share:.1%} of the visible text stands in a section or is boilerplate; "
        "compare it with the document."
    ]
