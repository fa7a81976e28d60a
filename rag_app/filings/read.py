"""A file on disk → ParsedFiling: its type by its content, its cover, its Items."""

from __future__ import annotations

import datetime as dt
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
    Cover,
    cover_of_facts,
    cover_of_header,
    cover_of_text,
    normal_form,
    printed_name,
    to_filing,
)
from rag_app.filings.facts import read_facts
from rag_app.filings.forms import form_items
from rag_app.filings.html import html_blocks, parse_html
from rag_app.filings.pdf import pdf_blocks
from rag_app.filings.sections import split_sections
from rag_app.filings.sgml import Document, is_submission, read_submission
from rag_app.filings.shown import with_spans
from rag_app.filings.source import decode, is_cut_off, printable, read_bytes
from rag_app.filings.text import text_blocks
from rag_app.records import Block, Health, ParsedFiling, Section

if TYPE_CHECKING:
    from lxml.html import HtmlElement

SHORT_ITEMS = {"1": 2000, "1A": 2000, "7": 2000, "8": 2000}
"""Characters below which one of the long Items of an annual report is suspiciously short."""

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
    ticker: str = "",
    form: str = "",
    fiscal_year: int | None = None,
    period_end: dt.date | None = None,
) -> ParsedFiling:
    """Read a filing from iXBRL, HTML, plain text, an SGML submission or a PDF.

    What the arguments give overrides what the document says of itself.

    Raises:
        FilingError: the file is missing, empty, larger than ``max_bytes``, of an unknown type,
            without text, or does not say its form or period; one sentence that says what to do.
    """
    data = read_bytes(path, max_bytes)
    source = printable(path)
    given = Cover(
        ticker=ticker.upper(),
        form=normal_form(form) or form.upper(),
        fiscal_year=fiscal_year,
        period_end=period_end,
    )
    blocks, cover, exhibits, root = _read_blocks(data, source)
    if not any(block.text.strip() for block in blocks):
        raise FilingError(f"{source} has no visible text; give the filing's main document.")
    cover = given.filled_from(cover).filled_from(cover_of_text(blocks))
    cover = replace(cover, company=printed_name(cover.company, blocks))
    filing = to_filing(cover, sha256=hashlib.sha256(data).hexdigest(), source=source)
    items = form_items(filing.form)
    sections, found = split_sections(blocks, items)
    sections = [*sections, *exhibits]
    missing = tuple(
        item.key for item in items if item.expected(filing.period_end) and item.key not in found
    )
    health = Health(
        items_found=found,
        items_missing=missing,
        characters=sum(len(section.text) for section in sections),
        notes=tuple(_notes(data, sections, found, missing)),
    )
    facts = () if root is None else with_spans(root, read_facts(root), sections)
    return ParsedFiling(filing, tuple(sections), health, facts)


def _read_blocks(
    data: bytes, source: str
) -> tuple[list[Block], Cover, list[Section], HtmlElement | None]:
    """Of the main document its blocks, its cover as far as marked up and its tree; exhibits."""
    if data.lstrip()[:5] == b"%PDF-":
        return pdf_blocks(data, source), Cover(), [], None
    text = decode(data, source)
    if not is_submission(text):
        if _SUBMISSION_HEAD.match(text) and "<DOCUMENT>" not in text:
            raise FilingError(f"{source} is a submission without documents; download it again.")
        blocks, cover, root = _document_blocks(text, source)
        return blocks, cover, [], root
    submission = read_submission(text)
    main, *others = submission.documents
    blocks, facts, root = _document_blocks(main.body, source)
    header = cover_of_header(submission.fields)
    cover = facts.filled_from(header).filled_from(Cover(form=normal_form(main.type)))
    return blocks, cover, _exhibits(others, cover.form, source), root


def _document_blocks(text: str, source: str) -> tuple[list[Block], Cover, HtmlElement | None]:
    if _MARKUP.search(text[:50_000]):
        root = parse_html(text, source)
        return html_blocks(root), cover_of_facts(root), root
    return text_blocks(_ACTIVE.sub("", text)), Cover(), None


def _exhibits(documents: Sequence[Document], form: str, source: str) -> list[Section]:
    """The exhibits that hold what the main document only refers to, each a section."""
    kinds = next((kinds for start, kinds in EXHIBITS.items() if form.startswith(start)), ())
    sections = []
    for document in documents:
        if document.type.upper().startswith(kinds):
            blocks, _, _ = _document_blocks(document.body, source)
            title = f"Exhibit {document.type.upper().removeprefix('EX-')}"
            sections.append(Section("", title, tuple(with_captions(blocks))))
    return sections


def _notes(
    data: bytes, sections: Sequence[Section], found: Sequence[str], missing: Sequence[str]
) -> list[str]:
    notes = []
    if is_cut_off(data):
        notes.append("The file breaks off before its end; download it again.")
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
