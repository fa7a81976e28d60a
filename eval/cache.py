"""Embeddings kept on disk by their text, so that a second protocol or run encodes nothing again.

``home/cache/embeddings/<fingerprint>-<prompt's hash>/`` holds blocks: safetensors files of vectors
and of the hashes of their texts. It is a cache: any of it may be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from rag_app.index.embedder import Embedder, Vectors
from rag_app.index.models import ModelSpec
from rag_app.index.vectors import load_vectors
from rag_app.library import Library
from rag_app.sealed import write_whole

BLOCK_TEXTS = 2048
"""Texts encoded between two writes: a stopped run loses no more than these."""
LIMIT_BYTES = 4 * 2**30
"""Beyond this, the models that were not used for longest lose their vectors."""

Progress = Callable[[int], None]
Rows = dict[bytes, Vectors]
"""Hash of a text → its (width,) vector."""


class CachedEmbedder:
    """An embedder that looks its texts up first: among the library's chunks, then in the cache."""

    def __init__(self, embedder: Embedder, home: Path, library: Library | None = None) -> None:
        self.spec = embedder.spec
        self._embedder = embedder
        self._root = home / "cache" / "embeddings"
        self._library = library

    def encode_queries(self, queries: Sequence[str]) -> Vectors:
        """As ``Embedder.encode_queries``."""
        return self._look_up(
            queries, self.spec.query_prompt, {}, self._embedder.encode_queries, lambda done: None
        )

    def encode_documents(
        self, texts: Sequence[str], on_progress: Progress | None = None
    ) -> Vectors:
        """As ``Embedder.encode_documents``; texts that were looked up count as done at once."""
        advance = on_progress or (lambda done: None)
        return self._look_up(
            texts,
            self.spec.document_prompt,
            library_rows(self._library, self.spec) if self._library else {},
            lambda some: self._embedder.encode_documents(some, advance),
            advance,
        )

    def _look_up(
        self,
        texts: Sequence[str],
        prompt: str,
        known: Rows,
        encode: Callable[[Sequence[str]], Vectors],
        advance: Progress,
    ) -> Vectors:
        prompt_hash = hashlib.sha256(prompt.encode()).hexdigest()[:8]
        folder = self._root / f"{self.spec.fingerprint}-{prompt_hash}"
        keys = [text_key(text) for text in texts]
        text_of = dict(zip(keys, texts, strict=True))
        rows = known | read_blocks(folder, text_of.keys() - known.keys())
        # Longest first: the texts of a block are then of about one length, and little is padded.
        missing = sorted(text_of.keys() - rows.keys(), key=lambda key: (-len(text_of[key]), key))
        advance(len(texts) - len(missing))
        for start in range(0, len(missing), BLOCK_TEXTS):
            block = missing[start : start + BLOCK_TEXTS]
            vectors = encode([text_of[key] for key in block])
            write_block(folder, block, vectors)
            rows |= dict(zip(block, vectors, strict=True))
        if missing:
            forget_oldest(self._root, folder)
        if not keys:
            return np.zeros((0, self.spec.width), dtype=np.float32)
        return np.stack([rows[key] for key in keys])


def text_key(text: str) -> bytes:
    """What a text is looked up by: a hash of 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def library_rows(library: Library, spec: ModelSpec) -> Rows:
    """The vectors that the library has stored of its chunks for this model.

    Raises:
        LibraryError: the library is damaged.
    """
    from rag_app.filings.chunks import passage_text

    rows: Rows = {}
    for key, version in library.versions().items():
        path = library.vectors_path(key, version, spec.fingerprint)
        if path.exists():
            chunks = library.chunks(key, version)
            for chunk_id, vector in zip(*load_vectors(path), strict=True):
                if chunk_id in chunks:
                    rows[text_key(passage_text(chunks[chunk_id]))] = vector
    return rows


def read_blocks(folder: Path, wanted: Collection[bytes]) -> Rows:
    """The vectors of these hashes, as far as there are any; a damaged block is removed."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    rows: Rows = {}
    if not folder.is_dir() or not wanted:
        return rows
    os.utime(folder)  # it is in use: ``forget_oldest`` goes by this
    for path in sorted(folder.glob("*.safetensors")):
        try:
            block: Mapping[str, Vectors] = load_file(path)
            pairs = list(zip(block["keys"], block["vectors"], strict=True))
        except (OSError, SafetensorError, KeyError, ValueError):
            with suppress(OSError):
                path.unlink()
            continue
        rows |= {key.tobytes(): vector for key, vector in pairs if key.tobytes() in wanted}
    return rows


def write_block(folder: Path, keys: Sequence[bytes], vectors: Vectors) -> None:
    """Write (n, width) vectors with their n hashes, whole, under a name of their own.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    from safetensors.numpy import save

    hashes = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:16]
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    write_whole(folder / f"{name}.safetensors", save({"keys": hashes, "vectors": rows}))


def forget_oldest(root: Path, keep: Path, limit_bytes: int = LIMIT_BYTES) -> None:
    """Remove the folders that were not used for longest until the rest is within the limit."""
    folders = [path for path in root.iterdir() if path.is_dir()]
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in folders}
    total = sum(sizes.values())
    for path in sorted(folders, key=lambda path: path.stat().st_mtime):
        if total > limit_bytes and path != keep:
            shutil.rmtree(path, ignore_errors=True)
            total -= sizes[path]
