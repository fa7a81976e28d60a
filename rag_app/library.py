"""The on-disk library: one folder a filing, sealed by version; the source of truth.

``home/filings/<key>/<version>/`` holds ``filing.json``, the source as given, ``sections.json``,
``chunks.jsonl``, ``facts.parquet`` and ``vectors/<model fingerprint>.safetensors``. Indexes are
derived from it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_app.errors import LibraryError
from rag_app.filings.factfile import FACTS, load_facts, save_facts
from rag_app.filings.shown import with_chunks
from rag_app.records import Block, Fact, Filing, Filters, Health, ParsedFiling, Section
from rag_app.sealed import current, prune, sealing

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

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

    def __init__(self, home: Path) -> None:
        self.home = home
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
        return stored

    def version_of(self, filing: Filing, chunker: str) -> str:
        """The version's name that this filing, this chunker and this layout give.

        The same bytes under another year, as a flag may name it, are another version.
        """
        named = repr(dataclasses.replace(filing, source=""))
        return f"{hashlib.sha256(named.encode()).hexdigest()[:12]}-{chunker}-{LAYOUT}"

    def holds(self, filing: Filing, chunker: str) -> bool:
        """Whether this very filing, cut by this chunker, is the current version."""
        folder = current(self.root / filing.key)
        return folder is not None and folder.name == self.version_of(filing, chunker)

    def add(
        self, parsed: ParsedFiling, chunks: Sequence[TextNode], source: Path, chunker: str
    ) -> None:
        """Store a filing whole; an older version stays until ``forget_unused``."""
        filing = parsed.filing
        with sealing(self.root / filing.key, self.version_of(filing, chunker)) as folder:
            shutil.copyfile(source, folder / f"source{source.suffix.lower()[:6]}")
            _write_json(folder / "sections.json", [dataclasses.asdict(s) for s in parsed.sections])
            with (folder / "chunks.jsonl").open("w", encoding="utf-8") as file:
                for node in chunks:
                    file.write(json.dumps(_chunk_record(node), ensure_ascii=False) + "\n")
            save_facts(folder / FACTS, with_chunks(parsed.facts, parsed.sections, chunks))
            record = {
                "filing": dataclasses.asdict(filing),
                "health": dataclasses.asdict(parsed.health),
                "chunk_count": len(chunks),
                "chunker": chunker,
            }
            _write_json(folder / "filing.json", record)

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

    def chunks(self, key: str, version: str) -> dict[str, TextNode]:
        """The chunks of one version by id, in reading order."""
        return _read_chunks(self.folder(key, version))

    def sections(self, key: str, version: str) -> tuple[Section, ...]:
        """The sections of one version, in reading order."""
        records = _read_json(self.folder(key, version) / "sections.json")
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
        return load_facts(path)

    def vectors_path(self, key: str, version: str, fingerprint: str) -> Path:
        """Where the full-width vectors of one version and model are, or would be."""
        return self.folder(key, version) / "vectors" / f"{fingerprint}.safetensors"

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


def _chunk_record(node: TextNode) -> dict[str, Any]:
    return {"id": node.node_id, "text": node.text, "metadata": node.metadata}


@functools.lru_cache(maxsize=64)
def _read_chunks(folder: Path) -> dict[str, TextNode]:
    """Cached for good: a sealed folder never changes."""
    from llama_index.core.schema import TextNode

    nodes = {}
    try:
        with (folder / "chunks.jsonl").open(encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                hidden = list(record["metadata"])  # LlamaIndex adds no metadata to the text
                nodes[record["id"]] = TextNode(
                    id_=record["id"],
                    text=record["text"],
                    metadata=record["metadata"],
                    excluded_embed_metadata_keys=hidden,
                    excluded_llm_metadata_keys=hidden,
                )
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(folder, error) from error
    return nodes


@functools.lru_cache(maxsize=65536)
def _read_stored(folder: Path) -> StoredFiling:
    try:
        record = _read_json(folder / "filing.json")
        filing = dict(record["filing"])
        filing["period_end"] = dt.date.fromisoformat(filing["period_end"])
        filing["filed"] = dt.date.fromisoformat(filing["filed"]) if filing["filed"] else None
        health: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in record["health"].items()
        }
        return StoredFiling(
            Filing(**filing), folder, record["chunk_count"], record["chunker"], Health(**health)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, error) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path.parent, error) from error


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, default=str, ensure_ascii=False), "utf-8")


def _damaged(folder: Path, error: Exception) -> LibraryError:
    return LibraryError(
        f"{folder} is damaged ({type(error).__name__}); remove {folder.parent} and ingest the "
        "filing again."
    )
