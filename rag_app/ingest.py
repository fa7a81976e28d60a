"""WRITE PATH on one screen: files to filings, sections, chunks, vectors, index."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rag_app.engines import LOCAL, find_engine
from rag_app.errors import FilingError
from rag_app.filings.batch import ReadFile, RefusedFile, read_files
from rag_app.filings.chunks import CHUNKER_VERSION
from rag_app.filings.cover import flagged
from rag_app.filings.edgar_downloads import ORIGIN_SUFFIX
from rag_app.filings.edgar_read import read_fetched
from rag_app.filings.source import printable, read_bytes
from rag_app.index.build import Progress, build_index, chunks_without_vectors
from rag_app.index.embedder import Embedder
from rag_app.library import Library
from rag_app.records import NO_FLAGS, CoverFlags, Health
from rag_app.sealed import current, writer_lock

FILING_SUFFIXES = {".htm", ".html", ".xhtml", ".txt", ".pdf"}


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

    @property
    def name(self) -> str:
        """The file's name as one line that can be shown."""
        return printable(Path(self.path.name))


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did."""

    files: tuple[FileOutcome, ...]
    chunk_count: int
    encoded: int
    seconds: float
    """Of encoding alone."""
    skipped: tuple[Path, ...] = ()
    """Links in a folder that point out of it."""
    passed_over: tuple[Path, ...] = ()
    """Files in a folder that are no filings by their names."""

    @property
    def broken_off(self) -> tuple[FileOutcome, ...]:
        """The files whose filings are stored though they break off before their end."""
        latest = {file.key: file for file in self.files if file.health}
        return tuple(file for file in latest.values() if file.health and file.health.breaks_off)

    @property
    def refused(self) -> tuple[FileOutcome, ...]:
        """The files that could not be read as filings."""
        return tuple(file for file in self.files if file.outcome == "refused")


@dataclass(frozen=True, slots=True)
class IngestWatcher:
    """Callbacks for whoever shows progress."""

    on_files: Callable[[int], None] = field(default=lambda total: None)
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
    flags: CoverFlags = NO_FLAGS,
    workers: int = 1,
    engine: str = LOCAL,
    watcher: IngestWatcher = IngestWatcher(),
) -> IngestReport:
    """Read each file, store it whole, encode what is new, and switch to a new index.

    A file that cannot be read is reported and the others go on. Killed at any moment, it leaves
    the old index serving, and running it again finishes the work: a file that is stored already
    is known by its bytes and not read again, unless the flags say something else of it.
    ``workers`` processes read, ``engine`` encodes; this process alone writes.

    Raises:
        RagError: there is no such engine, or it is not installed.
        FilingError: a path does not exist, or a reading process was killed.
        LibraryError: another process writes, the disk is full, or no filing could be stored.
    """
    encode = find_engine(engine)
    max_bytes = max_file_mb * 1_000_000
    read = partial(read_fetched, max_bytes=max_bytes, flags=flags)
    outcomes: list[FileOutcome] = []
    skipped: list[Path] = []
    passed_over: list[Path] = []
    with writer_lock(library.home):
        files = find_files(paths, skipped.append, passed_over.append)
        watcher.on_files(len(files))
        known = _of_no_type(files)
        known |= _unchanged([f for f in files if f not in known], flags, library, max_bytes)
        with closing(read_files([f for f in files if f not in known], read, workers)) as fresh:
            for file in files:
                outcome = known.get(file) or _store(next(fresh), library, max_bytes)
                watcher.on_file(outcome)
                outcomes.append(outcome)
        if not library.versions():
            return IngestReport(tuple(outcomes), 0, 0, 0.0, tuple(skipped), tuple(passed_over))
        watcher.on_encoding(chunks_without_vectors(library, embedder.spec))
        began = time.perf_counter()
        encoded = encode(library, embedder, watcher.on_encoded)
        seconds = time.perf_counter() - began
        built = build_index(library, embedder, dim, watcher.on_encoded)
    encoded += built.encoded  # what was found to be damaged
    return IngestReport(
        tuple(outcomes), built.chunk_count, encoded, seconds, tuple(skipped), tuple(passed_over)
    )


def find_files(
    paths: Iterable[Path],
    on_skipped: Callable[[Path], None] = lambda link: None,
    on_passed_over: Callable[[Path], None] = lambda file: None,
) -> list[Path]:
    """The files named, and those under the folders named that look like filings, sorted.

    A link in a folder is followed only to what lies in that folder too; of any other
    ``on_skipped`` is told. ``on_passed_over`` is told of a file in a folder that is no filing by
    its name; a hidden one, and what is kept beside a filing fetched from EDGAR, is not told.

    Raises:
        FilingError: a path does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        try:
            is_folder, exists = path.is_dir(), path.exists()
        except OSError as error:
            raise FilingError(
                f"{printable(path)} cannot be read ({error.strerror}); check the path."
            ) from None
        if is_folder:
            inside = list(_filings_in(path, on_skipped, on_passed_over))
            if not inside:
                kinds = ", ".join(sorted(FILING_SUFFIXES))
                raise FilingError(
                    f"{printable(path)} holds no filing ({kinds}); name another folder."
                )
            found += inside
        elif exists:
            found.append(path)
        else:
            raise FilingError(
                f"{printable(path)} does not exist; name a file or folder with filings."
            )
    return found


def _filings_in(
    folder: Path, on_skipped: Callable[[Path], None], on_passed_over: Callable[[Path], None]
) -> Iterable[Path]:
    home = folder.resolve()
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        if file.suffix.lower() not in FILING_SUFFIXES:
            if not file.name.startswith(".") and not file.name.endswith(ORIGIN_SUFFIX):
                on_passed_over(file)
        elif file.resolve().is_relative_to(home):
            yield file
        else:
            on_skipped(file)


def _of_no_type(files: Iterable[Path]) -> dict[Path, FileOutcome]:
    """The files whose suffix is of something else; one without a suffix may be a text."""
    kinds = ", ".join(sorted(FILING_SUFFIXES))
    return {
        file: FileOutcome(
            file,
            "refused",
            error=f"{printable(file)} is no filing by its name; give one of {kinds}.",
        )
        for file in files
        if file.suffix and file.suffix.lower() not in FILING_SUFFIXES
    }


def _unchanged(
    files: Iterable[Path], flags: CoverFlags, library: Library, max_bytes: int
) -> dict[Path, FileOutcome]:
    """The files whose bytes the library holds, named as flagged and cut by today's chunker."""
    held = {
        stored.filing.sha256: stored
        for stored in library.filings().values()
        if stored.version == library.version_of(stored.filing, CHUNKER_VERSION)
        and flagged(stored.filing, flags) == stored.filing
        and not library.damage(stored.filing.key, stored.version, hashed=True)
    }
    outcomes = {}
    for file in files if held else ():
        try:
            stored = held.get(_sha256(file, max_bytes))
        except FilingError:  # reading it as a filing says so, in its turn
            continue
        if stored:
            outcomes[file] = FileOutcome(
                file, "unchanged", stored.filing.key, stored.chunk_count, stored.health
            )
    return outcomes


def _store(file: ReadFile | RefusedFile, library: Library, max_bytes: int) -> FileOutcome:
    """Store what was read of one file, unless the library holds these very bytes already."""
    if isinstance(file, RefusedFile):
        return FileOutcome(file.path, "refused", error=file.error)
    filing, health = file.parsed.filing, file.parsed.health
    if library.holds(filing, CHUNKER_VERSION):
        count = library.stored(filing.key, library.version_of(filing, CHUNKER_VERSION)).chunk_count
        return FileOutcome(file.path, "unchanged", filing.key, count, health)
    if health.breaks_off and _holds_whole(library, filing.key):
        error = (
            f"{filing.source} breaks off before its end, and the library holds {filing.key} whole; "
            "download it again."
        )
        return FileOutcome(file.path, "refused", error=error)
    outcome = "replaced" if library.has(filing.key) else "added"
    try:
        same = _sha256(file.path, max_bytes) == filing.sha256
    except FilingError:
        same = False
    if not same:  # its bytes are stored beside what was read of them
        error = f"{filing.source} changed or vanished while it was read; run it again."
        return FileOutcome(file.path, "refused", error=error)
    library.add(file.parsed, file.chunks, file.path, CHUNKER_VERSION)
    return FileOutcome(file.path, outcome, filing.key, len(file.chunks), health)


def _holds_whole(library: Library, key: str) -> bool:
    folder = current(library.root / key)
    return folder is not None and not library.stored(key, folder.name).health.breaks_off


def _sha256(file: Path, max_bytes: int) -> str:
    return hashlib.sha256(read_bytes(file, max_bytes)).hexdigest()
