"""Downloads from EDGAR on disk: each document whole, and beside it what EDGAR says of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import FilingError
from rag_app.sealed import write_whole

ORIGIN_SUFFIX = ".origin.json"
"""Put behind the document's whole name; a folder's ingest passes over such files."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What EDGAR says of a filing that was fetched from ``url``.

    ``period_end`` is None for the old filings of which EDGAR does not say it; ``fiscal_year`` is
    the one that the document names, or the one that its period gives, and None until an
    inline-XBRL document, which may name another, was read.
    """

    accession: str
    cik: str
    company: str
    ticker: str
    form: str
    period_end: dt.date | None
    filed: dt.date
    fiscal_year: int | None
    url: str

    @property
    def period(self) -> dt.date:
        """The period's end, or the filing date where EDGAR does not say it."""
        return self.period_end or self.filed

    def __str__(self) -> str:
        return f"{self.ticker or self.cik} {self.form} {self.period} ({self.accession})"


def find_download(folder: Path, accession: str) -> Path | None:
    """The kept document of a filing, if its origin stands beside it."""
    for origin in folder.glob(f"*_{accession}.*{ORIGIN_SUFFIX}"):
        document = origin.with_name(origin.name.removesuffix(ORIGIN_SUFFIX))
        if document.exists():
            return document
    return None


def keep_download(folder: Path, origin: Origin, document: bytes) -> Path:
    """Write a document and its origin, each whole; returns the document's path.

    The document comes last, so that a killed process leaves no document without its origin.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    parts = (origin.ticker or origin.cik, origin.form.replace("/", ""), str(origin.period))
    name = "_".join(re.sub(r"[^A-Za-z0-9-]+", "-", part) for part in (*parts, origin.accession))
    path = folder / f"{name}{Path(origin.url).suffix or '.htm'}"
    record = json.dumps(dataclasses.asdict(origin), default=str, indent=1)
    write_whole(path.with_name(path.name + ORIGIN_SUFFIX), record.encode())
    write_whole(path, document)
    return path


def origin_of(path: Path) -> Origin | None:
    """What EDGAR said of a file, where that stands beside it; None for any other file.

    Raises:
        FilingError: the record is damaged.
    """
    beside = path.with_name(path.name + ORIGIN_SUFFIX)
    try:
        record = json.loads(beside.read_text("utf-8"))
        record["filed"] = dt.date.fromisoformat(record["filed"])
        if record["period_end"]:
            record["period_end"] = dt.date.fromisoformat(record["period_end"])
        return Origin(**record)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FilingError(
            f"{beside} is damaged ({type(error).__name__}); remove it and fetch the filing again."
        ) from None
