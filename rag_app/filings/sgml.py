"""EDGAR's SGML wrapping: a submission's header fields and its documents."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(r"<(?:SEC|IMS)-HEADER>(.*?)</(?:SEC|IMS)-HEADER>", re.S)
_FIELD = re.compile(r"^\s*([A-Z][A-Z .]+):[ \t]*(\S[^\n]*)$", re.M)
_WRAPPED = re.compile(r"<DOCUMENT>\s*<TYPE>")
_FIRST_TAG = re.compile(r"<[!?]?([A-Za-z][\w-]*)")
_SGML = {"SEC-DOCUMENT", "SEC-HEADER", "IMS-DOCUMENT", "IMS-HEADER", "SUBMISSION", "DOCUMENT"}
_TYPE = re.compile(r"<TYPE>\s*([^\n<]+)")


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
    """Whether EDGAR's SGML wraps the text: its first tag is EDGAR's, however long the header."""
    first = _FIRST_TAG.search(text)
    return bool(first and first[1] in _SGML and _WRAPPED.search(text))


def read_submission(text: str) -> Submission:
    """Split a submission, or the one document of it, into header and documents."""
    header = _HEADER.search(text)
    fields: dict[str, str] = {}
    if header:
        for name, value in _FIELD.findall(header[1]):
            fields.setdefault(name.strip(), value.strip())
    documents = []
    for part in text.split("<DOCUMENT>")[1:]:
        part = part.partition("</DOCUMENT>")[0]
        head, opens, rest = part.partition("<TEXT>")
        kind = _TYPE.search(head)
        body = (rest.rpartition("</TEXT>")[0] or rest) if opens else part
        if (inline := body.strip()).startswith("<XBRL>"):
            body = inline.removeprefix("<XBRL>").removesuffix("</XBRL>")
        documents.append(Document(kind[1].strip() if kind else "", body))
    return Submission(fields, tuple(documents))
