"""What is stored of the indexed filings, opened once for many questions: vectors, chunks, covers.

A question touches a few hundred chunks of many filings. Their vectors are read through memory maps
that stay open, their texts line by line, so that nothing whole is read for a question.
"""

from __future__ import annotations

import functools
import json
import re
import resource
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_app.filing_files import CHUNKS, damaged, node_of
from rag_app.index.embedder import Vectors
from rag_app.index.vectors import map_vectors
from rag_app.library import Library
from rag_app.records import Filing, Filters
from rag_app.sums import is_as_sealed

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

MAX_MAPPED = 8192
"""Each map holds a file open, and what is known of its rows takes some 130 kB."""
MAX_LISTED = 4096
"""Filings whose lines are known, at some 60 kB each."""
MAX_FILTERS = 16
"""A question asks several times what its filters admit, and every filing is looked at for it."""
_LINE = re.compile(rb'^\{"id": "([^"\\]+)", .*\n', re.MULTILINE)
_ITEM = re.compile(rb'"item": "([^"\\]*)"')


@dataclass(frozen=True, slots=True)
class MappedVectors:
    """The (n, width) vectors of a filing through a memory map, and each chunk's row."""

    ids: list[str]
    row_of: dict[str, int]
    rows: Vectors

    @classmethod
    def open(cls, path: Path) -> MappedVectors:
        """Map a file that ``save_vectors`` wrote.

        Raises:
            LibraryError: the file is missing or damaged.
        """
        ids, rows = map_vectors(path)
        return cls(ids, {chunk_id: row for row, chunk_id in enumerate(ids)}, rows)


class StoredChunks:
    """The chunks of one sealed version, each read by itself."""

    def __init__(self, folder: Path) -> None:
        """Find the chunks' lines.

        Raises:
            LibraryError: the file is missing or damaged.
        """
        self._path = folder / CHUNKS
        try:
            written = self._path.read_bytes()
        except OSError as error:
            raise damaged(self._path, type(error).__name__) from error
        if not is_as_sealed(self._path, written):
            raise damaged(self._path, "its bytes have changed")
        found = list(_LINE.finditer(written))
        self._span_of = {match[1].decode(): match.span() for match in found}
        if sum(end - start for start, end in self._span_of.values()) != len(written):
            raise damaged(self._path, "its lines are no chunks")

    def node(self, chunk_id: str) -> TextNode:
        """A chunk, made anew: what the caller writes into its metadata stays there.

        Raises:
            LibraryError: the file is damaged, or lacks it.
        """
        try:
            return node_of(json.loads(self._line(chunk_id)))
        except (OSError, ValueError, KeyError) as error:
            raise damaged(self._path, type(error).__name__) from error

    def items(self) -> dict[str, str]:
        """Chunk id to its Item."""
        written = self._path.read_bytes()
        found = {id_: _ITEM.search(written, *span) for id_, span in self._span_of.items()}
        return {id_: match[1].decode() for id_, match in found.items() if match}

    def _line(self, chunk_id: str) -> bytes:
        start, end = self._span_of[chunk_id]
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


class OpenedFilings:
    """The filing versions that an index was built from; each is opened at its first use."""

    def __init__(self, library: Library, versions: Mapping[str, str], fingerprint: str) -> None:
        self._library = library
        self._versions = versions
        self._fingerprint = fingerprint
        # Sealed files never change, so what was read of them once holds.
        self.vectors = functools.lru_cache(_may_map(len(versions)))(self._vectors)
        self.norms = functools.lru_cache(MAX_LISTED)(self._norms)
        self.chunks = functools.lru_cache(MAX_LISTED)(self._chunks)
        self.items = functools.lru_cache(MAX_LISTED)(self._items)
        self.admitted = functools.lru_cache(MAX_FILTERS)(self._admitted)

    @functools.cached_property
    def covers(self) -> dict[str, Filing]:
        """Every indexed filing by its key."""
        return {
            key: self._library.stored(key, version).filing
            for key, version in self._versions.items()
        }

    def _admitted(self, filters: Filters) -> tuple[str, ...]:
        return tuple(key for key, filing in self.covers.items() if filters.admits(filing))

    def gather(self, chunk_ids: Sequence[str]) -> Vectors:
        """The full-width vectors of some chunks, at least one, a row each."""
        width = self.vectors(key_of(chunk_ids[0])).rows.shape[1]
        found = np.empty((len(chunk_ids), width), dtype=np.float32)
        for place, chunk_id in enumerate(chunk_ids):
            filing = self.vectors(key_of(chunk_id))
            found[place] = filing.rows[filing.row_of[chunk_id]]
        return found

    def _vectors(self, key: str) -> MappedVectors:
        path = self._library.vectors_path(key, self._versions[key], self._fingerprint)
        return MappedVectors.open(path)

    def _norms(self, key: str, dim: int, start: int) -> Vectors:
        cut = self.vectors(key).rows[:, start : start + dim]
        return np.asarray(np.linalg.norm(cut, axis=1), dtype=np.float32)

    def _chunks(self, key: str) -> StoredChunks:
        return StoredChunks(self._library.folder(key, self._versions[key]))

    def _items(self, key: str) -> dict[str, str]:
        return self.chunks(key).items()


def key_of(chunk_id: str) -> str:
    """The key of the filing that a chunk is of."""
    return chunk_id.partition(":")[0]


def _may_map(files: int) -> int:
    """How many files may stay mapped, where as many as ``files`` are wanted.

    Half of what the process may open. Commonly that is 1,024 by a soft limit, which any process
    may raise up to the hard one.
    """
    wanted = min(files, MAX_MAPPED)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and 2 * wanted > soft:
        raised = 2 * wanted if hard == resource.RLIM_INFINITY else min(2 * wanted, hard)
        with suppress(OSError, ValueError):  # macOS takes no more than it knows
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        wanted = min(wanted, soft // 2)
    return max(1, wanted)
