"""A file on disk → ParsedFiling: its type by its content, its cover, its Items."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

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
from rag_app.filings.forms import form_items
from rag_app.filings.html import html_blocks, parse_html
from rag_app.filings.pdf import pdf_blocks
from rag_app.filings.sections import split_sections
from rag_app.filings.sgml import Document, is_submission, read_submission
from rag_app.filings.text import text_blocks
from rag_app.records import Block, Health, ParsedFiling, Section

SHORT_ITEMS = {"1": 2000, "1A": 2000, "7": 2000, "8": 2000}
"""Characters below which one of the long Items of an annual report is suspiciously short."""

EXHIBITS: dict[str, tuple[str, ...]] = {"10-K": ("EX-13",), "8-K": ("EX-20", "EX-99")}
"""By form: the annual report that Items 7 and 8 of old 10-Ks refer to; the release of an 8-K."""

# Plain text has <TABLE> and <PAGE> marks of its own.
_MARKUP = re.compile(r"<(?:html|body|p|div|tr|font|span|br)\b", re.I)


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
    data = _read_bytes(path, max_bytes)
    given = Cover(
        ticker=ticker.upper(),
        form=normal_form(form) or form.upper(),
        fiscal_year=fiscal_year,
        period_end=period_end,
    )
    blocks, cover, exhibits = _read_blocks(data, path)
    if not any(block.text.strip() for block in blocks):
        raise FilingError(f"{path} has no visible text; give the filing's main document.")
    cover = given.filled_from(cover).filled_from(cover_of_text(blocks))
    cover = replace(cover, company=printed_name(cover.company, blocks))
    filing = to_filing(cover, sha256=hashlib.sha256(data).hexdigest(), source=str(path))
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
        notes=tuple(_notes(sections, found, missing)),
    )
    return ParsedFiling(filing, tuple(sections), health)


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise FilingError(f"{path} is a folder; give a file in it.")
        if size > max_bytes:
            raise FilingError(
                f"{path} has {size / 1e6:.0f} MB, more than the {max_bytes / 1e6:.0f} MB allowed; "
                "raise max_file_mb in settings.toml if it is a filing."
            )
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FilingError(f"{path} cannot be read ({reason}); check the path.") from None
    if not data.strip():
        raise FilingError(f"{path} is empty; download the filing again.")
    return data


def _read_blocks(data: bytes, path: Path) -> tuple[list[Block], Cover, list[Section]]:
    """The blocks of the main document, its cover as far as marked up, and exhibit sections."""
    if data.lstrip()[:5] == b"%PDF-":
        return pdf_blocks(data, str(path)), Cover(), []
    text = _decode(data, path)
    if not is_submission(text):
        blocks, cover = _document_blocks(text)
        return blocks, cover, []
    submission = read_submission(text)
    main, *others = submission.documents
    blocks, facts = _document_blocks(main.body)
    header = cover_of_header(submission.fields)
    cover = facts.filled_from(header).filled_from(Cover(form=normal_form(main.type)))
    return blocks, cover, _exhibits(others, cover.form)


def _document_blocks(text: str) -> tuple[list[Block], Cover]:
    if _MARKUP.search(text[:50_000]):
        root = parse_html(text)
        return html_blocks(root), cover_of_facts(root)
    return text_blocks(text), Cover()


def _exhibits(documents: Sequence[Document], form: str) -> list[Section]:
    """The exhibits that hold what the main document only refers to, each a section."""
    kinds = next((kinds for start, kinds in EXHIBITS.items() if form.startswith(start)), ())
    sections = []
    for document in documents:
        if document.type.upper().startswith(kinds):
            blocks, _ = _document_blocks(document.body)
            title = f"Exhibit {document.type.upper().removeprefix('EX-')}"
            sections.append(Section("", title, tuple(with_captions(blocks))))
    return sections


def _decode(data: bytes, path: Path) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:8192] or data[:4] == b"PK\x03\x04":
        raise FilingError(f"{path} is not HTML, text or PDF; give a filing in one of these.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    control = sum(char < " " and char not in "\t\n\r\f" for char in text[:8192])
    if control > 80:
        raise FilingError(f"{path} is not HTML, text or PDF; give a filing in one of these.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _notes(sections: Sequence[Section], found: Sequence[str], missing: Sequence[str]) -> list[str]:
    notes = []
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
