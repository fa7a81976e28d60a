"""The plain model: a dict of revisions, the texts it stands for, and exact search over them."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hashed import SPEC, HashedEmbedder
from tiny import write_filing

from rag_app.filings.chunks import make_chunks, passage_text, token_counter
from rag_app.filings.read import read_filing
from rag_app.index.embedder import Vectors, truncate
from rag_app.records import CoverFlags

State = dict[int, int]
"""Fiscal year to revision of that year's 10-K."""
FLAGS = CoverFlags(ticker="QPI")
REVENUE = 50_000
"""A revision's revenue is this and the revision, so that every number of it names the revision."""


def write_source(folder: Path, year: int, revision: int) -> Path:
    """A 10-K that names its revision in every Item."""
    return write_filing(
        folder / f"{year}.html",
        year=year,
        product=f"gadget-{revision}",
        revenue=REVENUE + revision,
    )


def revisions_in(text: str) -> set[int]:
    """The revisions that a passage names."""
    found = {int(number) for number in re.findall(r"gadget-(\d+)", text)}
    return found | {int(number) - REVENUE for number in re.findall(r"\b(5\d{4})\b", text)}


@dataclass(frozen=True, slots=True)
class Plain:
    """Passages by chunk id and their full-width vectors, a row each; nothing is on disk."""

    passages: dict[str, str]
    vectors: Vectors

    def nearest(self, question: str, dim: int, among: Sequence[str]) -> dict[str, float]:
        """Cosines of some passages to a question at a dimension, by exact search."""
        ids = list(self.passages)
        rows = truncate(self.vectors[[ids.index(id_) for id_ in among]], dim)
        query = truncate(embedder().encode_queries([question]), dim)[0]
        return dict(zip(among, map(float, rows @ query), strict=True))


def plain(state: State) -> Plain:
    """What a state stands for."""
    each = [_filing(year, revision) for year, revision in sorted(state.items())]
    if not each:
        return Plain({}, np.zeros((0, SPEC.width), np.float32))
    return Plain(
        {id_: text for one in each for id_, text in one.passages.items()},
        np.concatenate([one.vectors for one in each]),
    )


@functools.cache
def _filing(year: int, revision: int) -> Plain:
    """One filing, read anew and kept in memory."""
    with tempfile.TemporaryDirectory() as folder:
        parsed = read_filing(
            write_source(Path(folder), year, revision), max_bytes=1_000_000, flags=FLAGS
        )
    passages = {node.node_id: passage_text(node) for node in make_chunks(parsed, _counter())}
    return Plain(passages, embedder().encode_documents(list(passages.values())))


@functools.cache
def embedder() -> HashedEmbedder:
    """The one embedder of the trials."""
    return HashedEmbedder()


_counter = functools.cache(token_counter)
