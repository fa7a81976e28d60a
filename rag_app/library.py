"""The on-disk library: one folder a filing, sealed by version; the source of truth.

``home/filings/<key>/<version>/`` holds ``filing.json``, the source as given, ``sections.json``,
``chunks.jsonl``, ``facts.parquet`` and ``vectors/<model fingerprint>.safetensors``. Indexes are
derived from it. ``sums.json`` holds the checksums of what was sealed; the vectors, which come
later, have one beside each.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_app.errors import LibraryError
from rag_app.filing_files import (
    CHUNKS,
    RECORD,
    SECTIONS,
    VECTORS,
    damaged,
    filing_of,
    read_chunks,
    read_json,
    read_sealed,
    write_chunks,
    write_json,
)
from rag_app.filings.factfile import FACTS, load_facts, save_facts
from rag_app.filings.shown import with_chunks
from rag_app.index.chroma import EMBEDDED, DenseStore
from rag_app.records import Block, Fact, Filing, Filters, Health, ParsedFiling, Section
from rag_app.sealed import POINTER, current, disk_error, points_nowhere, prune, sealing
from rag_app.sums import damaged_files, read_sums, write_sums

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

SOURCES_NEEDED = 4
"""What is stored of a filing is at most some three times its source."""
LAYOUT = "3"
"""What a folder holds; raised when something is added, so that an older folder is not current."""


@dataclass(frozen=True, slots=True)
class StoredFiling:
    """A filing in the library: what it is, which version is current, how its reading went."""

    filing: Filing
    folder: Path
    chunk_count: int
    chunker: str
    health: Health

    @property
    def version(self) -> str:
        """Names the bytes, what is said of them, and the chunker that this version came from."""
        return self.folder.name


class Library:
    """The filings under ``home/filings``. Readers need no lock; writers hold ``writer_lock``."""

    def __init__(self, home: Path, dense: DenseStore = EMBEDDED) -> None:
        self.home = home
        self.dense = dense  # where the collections of the indexes derived from it are kept
        self.root = home / "filings"

    def filings(self) -> dict[str, StoredFiling]:
        """Every stored filing by its key, in the order of keys.

        Raises:
            LibraryError: a filing's record is damaged; the message says how to mend it.
        """
        stored = {}
        for root in sorted(self.root.glob("*")) if self.root.is_dir() else ():
            folder = current(root)
            if folder is not None:
                stored[root.name] = _read_stored(folder)
            elif points_nowhere(root):
                raise damaged(root / POINTER, "it names no stored version")
        return stored

    def version_of(self, filing: Filing, chunker: str) -> str:
        """The version's name that this filing, this chunker and this layout give.

        The same bytes under another year, as a flag may name it, are another version.
        """
        named = repr(dataclasses.replace(filing, source=""))
        return f"{hashlib.sha256(named.encode()).hexdigest()[:12]}-{chunker}-{LAYOUT}"

    def holds(self, filing: Filing, chunker: str) -> bool:
        """Whether this very filing, cut by this chunker, is the current version and undamaged."""
        folder = current(self.root / filing.key)
        return (
            folder is not None
            and folder.name == self.version_of(filing, chunker)
            and not self.damage(filing.key, folder.name, hashed=True)
        )

    def add(
        self, parsed: ParsedFiling, chunks: Sequence[TextNode], source: Path, chunker: str
    ) -> None:
        """Store a filing whole; an older version stays until ``forget_unused``.

        The very version that is current already is stored again file by file: so it is mended.
        """
        filing = parsed.filing
        root, needed = self.root / filing.key, SOURCES_NEEDED * source.stat().st_size + 1_000_000
        with sealing(root, self.version_of(filing, chunker), needed) as folder:
            shutil.copyfile(source, folder / f"source{source.suffix.lower()[:6]}")
            write_json(folder / SECTIONS, [dataclasses.asdict(s) for s in parsed.sections])
            write_chunks(folder / CHUNKS, list(chunks))
            save_facts(folder / FACTS, with_chunks(parsed.facts, parsed.sections, chunks))
            record = {
                "filing": dataclasses.asdict(filing),
                "health": dataclasses.asdict(parsed.health),
                "chunk_count": len(chunks),
                "chunker": chunker,
            }
            write_json(folder / RECORD, record)

    def has(self, key: str) -> bool:
        """Whether there is such a filing, damaged or not; a key is never a path."""
        return Path(key).name == key and (self.root / key / POINTER).exists()

    def remove(self, key: str) -> None:
        """Take a filing out; its versions stay until no sealed index reads them.

        Raises:
            LibraryError: there is no such filing, or the disk is read-only.
        """
        if not self.has(key):
            raise LibraryError(f"There is no filing {key} in the library at {self.home}.")
        try:
            (self.root / key / POINTER).unlink()
        except OSError as error:
            raise disk_error(self.root / key, error) from error

    def folder(self, key: str, version: str) -> Path:
        """The folder of one version, which a sealed index may name after it was replaced.

        Raises:
            LibraryError: the version is gone.
        """
        folder = self.root / key / version
        if not folder.is_dir():
            raise LibraryError(
                f"The library lacks {key} (version {version}); run `python -m rag_app index`."
            )
        return folder

    def stored(self, key: str, version: str) -> StoredFiling:
        """What is known of one version."""
        return _read_stored(self.folder(key, version))

    def chunks(self, key: str, version: str) -> dict[str, TextNode]:
        """The chunks of one version by id, in reading order."""
        return read_chunks(self.folder(key, version))

    def sections(self, key: str, version: str) -> tuple[Section, ...]:
        """The sections of one version, in reading order."""
        records = read_json(self.folder(key, version) / SECTIONS)
        return tuple(
            Section(r["item"], r["title"], tuple(Block(**block) for block in r["blocks"]))
            for r in records
        )

    def facts(self, key: str, version: str) -> tuple[Fact, ...]:
        """The inline-XBRL facts of one version, in the order of the document; none in a PDF.

        Raises:
            LibraryError: the filing was stored before facts were kept, or the file is damaged.
        """
        path = self.folder(key, version) / FACTS
        if not path.exists():
            raise LibraryError(
                f"{key} was stored before facts were kept; run `python -m rag_app ingest` on its "
                "file again."
            )
        read_sealed(path)
        return load_facts(path)

    def vectors_path(self, key: str, version: str, fingerprint: str) -> Path:
        """Where the full-width vectors of one version and model are, or would be."""
        return self.folder(key, version) / VECTORS / f"{fingerprint}.safetensors"

    def damage(self, key: str, version: str, *, hashed: bool) -> list[str]:
        """The files of a version that are not as they were stored; the vectors are not looked at.

        By their sizes alone, or ``hashed`` by their bytes.
        """
        return damaged_files(self.folder(key, version), hashed=hashed)

    def keep_sums(self) -> None:
        """Note the checksums of filings stored before these were kept; hold the writer lock."""
        for stored in self.filings().values():
            if read_sums(stored.folder) is None:
                if len(read_chunks(stored.folder)) != stored.chunk_count:
                    raise damaged(stored.folder / CHUNKS, "chunks are missing")
                write_sums(stored.folder, skip=(VECTORS,))

    def versions(self) -> dict[str, str]:
        """Filing key to current version: what an index that is up to date was built from."""
        return {key: stored.version for key, stored in self.filings().items()}

    def passages(self) -> dict[str, str]:
        """Chunk id to the text that is embedded, over the whole library."""
        from rag_app.filings.chunks import passage_text

        return {
            node.node_id: passage_text(node)
            for key, version in self.versions().items()
            for node in self.chunks(key, version).values()
        }

    def filing_of(self) -> dict[str, str]:
        """Chunk id to the name, without ending, of the file that it came from."""
        return {
            chunk_id: Path(stored.filing.source).stem
            for key, stored in self.filings().items()
            for chunk_id in self.chunks(key, stored.version)
        }

    def forget_unused(self, used: dict[str, set[str]]) -> None:
        """Remove replaced versions that no sealed index names (``used``: key to versions)."""
        for root in self.root.glob("*") if self.root.is_dir() else ():
            prune(root, used.get(root.name, set()))

    def check_filters(self, filters: Filters) -> None:
        """Refuse filters that admit no filing, naming what there is.

        Raises:
            LibraryError: the library is empty, or nothing in it fits.
        """
        filings = [stored.filing for stored in self.filings().values()]
        if not filings:
            raise LibraryError(
                f"The library at {self.home} is empty; add filings with "
                "`python -m rag_app ingest PATH` (data/sample/filings is there to try)."
            )
        if not any(filters.admits(filing) for filing in filings):
            have = sorted({f"{f.ticker or f.company} {f.form} {f.fiscal_year}" for f in filings})
            more = f" and {len(have) - 12} more" if len(have) > 12 else ""
            raise LibraryError(
                f"No filing in the library matches {filters}; it holds {', '.join(have[:12])}"
                f"{more}."
            )


@functools.lru_cache(maxsize=65536)
def _read_stored(folder: Path) -> StoredFiling:
    try:
        record = read_json(folder / RECORD)
        filing = filing_of(record["filing"])
        health: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in record["health"].items()
        }
        return StoredFiling(
            filing, folder, record["chunk_count"], record["chunker"], Health(**health)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(folder / RECORD, type(error).__name__) from error
