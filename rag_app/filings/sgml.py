"""EDGAR's SGML wrapping: a submission's header fields and its documents."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(r"<(?:SEC|IMS)-HEADER>(.*?)</(?:SEC|IMS)-HEADER>", re.S)
_FIELD = re.compile(r"^\s*([A-Z][A-Z .]+):[ \t]*(\S[^\n]*)$", re.M)
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)(?=<DOCUMENT>|</DOCUMENT>|\Z)", re.S)
_TYPE = re.compile(r"<TYPE>\s*([^\n<]+)")
_TEXT = re.compile(r"<TEXT>(.*?)(?:</TEXT>|\Z)", re.S)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a submission: its type ("10-K", "EX-13.1") and its body."""

    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Submission:
    """Header fields, such as "CENTRAL INDEX KEY", and the documents, the main one first."""

    fields: dict[str, str]
    documents: tuple[Document, ...]


def is_submission(text: str) -> bool:
    """Whether EDGAR's SGML wraps the text."""
    return bool(re.search(r"<DOCUMENT>\s*<TYPE>", text[:20_000]))


def read_submission(text: str) -> Submission:
    """Split a submission, or the one document of it, into header and documents."""
    header = _HEADER.search(text)
    fields: dict[str, str] = {}
    if header:
        for name, value in _FIELD.findall(header[1]):
            fields.setdefault(name.strip(), value.strip())
    documents = []
    for part in _DOCUMENT.findall(text):
        kind, body = _TYPE.search(part), _TEXT.search(part)
        documents.append(Document(kind[1].strip() if kind else "", body[1] if body else part))
    return Submission(fields, tuple(documents))
