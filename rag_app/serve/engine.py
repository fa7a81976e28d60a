"""One library, model and dimension, opened for many requests at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag_app.answer import Reply
from rag_app.chat.llm import ChatLLM
from rag_app.cli import Opened
from rag_app.errors import LibraryError, NotHere
from rag_app.facts import find_facts
from rag_app.index.asked import Asked
from rag_app.index.balanced import asked_of, retriever_of
from rag_app.index.build import index_root
from rag_app.index.opened import key_of
from rag_app.index.retriever import FilingsRetriever, no_such_item, served_retriever
from rag_app.index.serving import may_answer, open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import StoredFiling
from rag_app.records import Fact, Filters
from rag_app.sealed import current

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore, TextNode


class Engine:
    """What every request is answered from.

    A request shares nothing with another but the open index, the model and the library, none of
    which it changes; each has a retriever and a reply of its own.
    """

    def __init__(self, opened: Opened, llm: ChatLLM | None) -> None:
        self.settings = opened.settings
        self.library = opened.library
        self.embedder = opened.embedder
        self.dim = opened.dim
        self.llm = llm
        self._lock = threading.Lock()
        self._state: object = None
        self._opened = 0.0
        self._snapshot: Snapshot | None = None

    def snapshot(self) -> Snapshot:
        """The index to answer from; opened anew when the library or the served index changed.

        Raises:
            RagError: as ``open_snapshot``.
        """
        root = index_root(self.library.home, self.embedder.spec, self.dim)
        with self._lock:  # of one index; who asks while it is opened anew waits for it
            versions = self.library.versions()
            if (
                self._snapshot is None
                or self._state != (current(root), versions)
                or not may_answer(self._snapshot, versions, time.monotonic() - self._opened)
            ):
                self._snapshot = None  # or its files, perhaps of a deleted filing, could not go
                self._snapshot = open_snapshot(
                    self.library, self.embedder, self.dim, on_note=_logged
                )
                self._state, self._opened = (current(root), versions), time.monotonic()
            return self._snapshot

    def warm_up(self) -> None:
        """Load the model and the index, which takes seconds, before the first request does.

        Raises:
            RagError: there is no library, or the model or index cannot be used.
        """
        self.snapshot()
        self.embedder.encode_queries(["warm up"])

    def search(
        self, question: str, filters: Filters, k: int | None
    ) -> tuple[list[NodeWithScore], Asked]:
        """The best passages, best first, and where they were searched: as ``reply`` does.

        Raises:
            NotHere: no filing passes the filters.
        """
        retriever = self._retriever(filters, k)
        by_itself = self.settings.auto_filter
        asked = asked_of(retriever.snapshot, question, filters, by_itself=by_itself)
        self._admit(asked.filters)
        return retriever_of(retriever, asked).retrieve(question), asked

    def reply(self, question: str, filters: Filters, k: int | None) -> Reply:
        """An answer on its way, to be iterated; the question's own words may narrow the filters.

        Raises:
            NotHere: no filing passes the filters.
        """
        retriever = self._retriever(filters, k)
        reply = Reply(
            question,
            retriever,
            self.llm,
            auto_filter=self.settings.auto_filter,
            refuse_below=self.settings.refuse_below,
        )
        self._admit(reply.asked.filters)
        return reply

    def passage(self, chunk_id: str) -> TextNode:
        """The chunk of an id that a search or an answer named.

        Raises:
            NotHere: no indexed filing holds it.
        """
        snapshot = self.snapshot()
        key = key_of(chunk_id)
        if (
            key not in snapshot.passport.filings
            or chunk_id not in snapshot.opened.vectors(key).row_of
        ):
            raise NotHere(
                f"No indexed filing holds the passage {chunk_id}; take an id from a search."
            )
        return snapshot.chunk(chunk_id)

    def filings(self, filters: Filters) -> Sequence[StoredFiling]:
        """The filings that pass the filters, in the order of their keys.

        Raises:
            NotHere: none does.
        """
        self._admit(filters)
        stored = self.library.filings().values()
        return [one for one in stored if filters.admits(one.filing)]

    def facts(self, concept: str, filters: Filters) -> Mapping[str, Sequence[Fact]]:
        """The XBRL facts of a concept by filing key.

        Raises:
            NotHere: no filing passes the filters.
            FactError: none of those has the concept.
        """
        self._admit(filters)
        return find_facts(self.library, filters, concept)

    def _retriever(self, filters: Filters, k: int | None) -> FilingsRetriever:
        self._admit(filters)
        snapshot = self.snapshot()
        if filters.item and not snapshot.admitted_chunks(filters):
            raise NotHere(no_such_item(snapshot, filters))
        return served_retriever(snapshot, self.settings, filters, k)

    def _admit(self, filters: Filters) -> None:
        try:
            self.library.check_filters(filters)
        except LibraryError as error:
            raise NotHere(str(error)) from None


def _logged(note: str) -> None:
    logging.getLogger(__name__).warning(note)
