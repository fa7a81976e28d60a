"""WRITE PATH on one screen: files to filings, sections, chunks, vectors, index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag_app.errors import FilingError
from rag_app.filings.chunks import CHUNKER_VERSION, make_chunks, token_counter
from rag_app.filings.read import read_filing
from rag_app.index.build import Progress, build_index, chunks_without_vectors
from rag_app.index.embedder import Embedder
from rag_app.library import Library
from rag_app.records import Health
from rag_app.sealed import writer_lock

FILING_SUFFIXES = {".htm", ".html", ".xhtml", ".txt", ".pdf"}


@dataclass(frozen=True, slots=True)
class CoverFlags:
    """What the user says of a filing over what its cover says; empty fields leave the cover's."""

    ticker: str = ""
    form: str = ""
    fiscal_year: int | None = None
    period_end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file: the filing's key and health, or why it was refused."""

    path: Path
    outcome: str
    """``added``, ``replaced``, ``unchanged`` or ``refused``."""
    key: str = ""
    chunk_count: int = 0
    health: Health | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did."""

    files: tuple[FileOutcome, ...]
    chunk_count: int
    encoded: int
    seconds: float

    @property
    def refused(self) -> tuple[FileOutcome, ...]:
        """The files that could not be read as filings."""
        return tuple(file for file in self.files if file.outcome == "refused")


@dataclass(frozen=True, slots=True)
class IngestWatcher:
    """Callbacks for whoever shows progress."""

    on_file: Callable[[FileOutcome], None] = field(default=lambda outcome: None)
    on_encoding: Callable[[int], None] = field(default=lambda total: None)
    on_encoded: Progress = field(default=lambda done: None)


def ingest(
    paths: Sequence[Path],
    library: Library,
    embedder: Embedder,
    dim: int,
    *,
    max_file_mb: int,
    flags: CoverFlags = CoverFlags(),
    watcher: IngestWatcher = IngestWatcher(),
) -> IngestReport:
    """Read each file, store it whole, encode what is new, and switch to a new index.

    A file that cannot be read is reported and the others go on. Killed at any moment, it leaves
    the old index serving, and running it again finishes the work.

    Raises:
        LibraryError: another process writes, the disk is full, or no filing could be stored.
    """
    with writer_lock(library.home):
        count_tokens = token_counter()
        outcomes = []
        for path in find_files(paths):
            outcome = _store(path, library, count_tokens, max_file_mb, flags)
            watcher.on_file(outcome)
            outcomes.append(outcome)
        if not library.versions():
            return IngestReport(tuple(outcomes), 0, 0, 0.0)
        watcher.on_encoding(chunks_without_vectors(library, embedder.spec))
        built = build_index(library, embedder, dim, watcher.on_encoded)
    return IngestReport(tuple(outcomes), built.chunk_count, built.encoded, built.seconds)


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and those under the folders named that look like filings, sorted.

    Raises:
        FilingError: a path does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and file.suffix.lower() in FILING_SUFFIXES
            )
            if not inside:
                kinds = ", ".join(sorted(FILING_SUFFIXES))
                raise FilingError(f"{path} holds no filing ({kinds}); name another folder.")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise FilingError(f"{path} does not exist; name a file or folder with filings.")
    return found


def _store(
    path: Path,
    library: Library,
    count_tokens: Callable[[Sequence[str]], list[int]],
    max_file_mb: int,
    flags: CoverFlags,
) -> FileOutcome:
    """Read one file and store it, unless the library holds these very bytes already."""
    try:
        parsed = read_filing(
            path,
            max_bytes=max_file_mb * 1_000_000,
            ticker=flags.ticker,
            form=flags.form,
            fiscal_year=flags.fiscal_year,
            period_end=flags.period_end,
        )
    except FilingError as error:
        return FileOutcome(path, "refused", error=str(error))
    key = parsed.filing.key
    if library.holds(parsed.filing, CHUNKER_VERSION):
        return FileOutcome(
            path, "unchanged", key, library.filings()[key].chunk_count, parsed.health
        )
    outcome = "replaced" if key in library.filings() else "added"
    chunks = make_chunks(parsed, count_tokens)
    library.add(parsed, chunks, path, CHUNKER_VERSION)
    return FileOutcome(path, outcome, key, len(chunks), parsed.health)
