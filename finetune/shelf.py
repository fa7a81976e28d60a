"""The ingested filings of one company: their chunks as served, and BM25 over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rag_app.index.lexical import LexicalIndex, lexical_of
from rag_app.library import Library, StoredFiling


@dataclass(frozen=True, slots=True)
class Shelf:
    """Filings by key, the ids of their chunks, and what is known of each chunk by its id."""

    filings: dict[str, StoredFiling]
    chunk_ids: dict[str, list[str]]
    """Filing key to chunk ids in reading order."""
    passages: dict[str, str]
    """The text that is embedded: prefix and chunk."""
    texts: dict[str, str]
    """The filing's own words alone: a prefix names the Item in every chunk of it."""
    filing_of: dict[str, str]
    item_of: dict[str, str]
    lexical: LexicalIndex

    def shown(self, chunk_id: str) -> str:
        """A passage without the path in its first line, whose "10-K" is no figure."""
        passage = self.passages[chunk_id]
        return passage.partition("\n")[2] or passage


@contextmanager
def open_shelf(library: Library, filings: Sequence[StoredFiling]) -> Iterator[Shelf]:
    """Read some filings and index them in a temporary folder until the block ends."""
    from rag_app.filings.chunks import passage_text

    nodes = {
        stored.filing.key: library.chunks(stored.filing.key, stored.version) for stored in filings
    }
    chunks = [node for held in nodes.values() for node in held.values()]
    passages = {node.node_id: passage_text(node) for node in chunks}
    with lexical_of(passages) as lexical:
        yield Shelf(
            filings={stored.filing.key: stored for stored in filings},
            chunk_ids={key: list(held) for key, held in nodes.items()},
            passages=passages,
            texts={node.node_id: node.text for node in chunks},
            filing_of={node.node_id: node.metadata["filing"] for node in chunks},
            item_of={node.node_id: node.metadata["item"] for node in chunks},
            lexical=lexical,
        )
