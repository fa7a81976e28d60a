"""READ PATH on one screen: question to hits, prompt, and a cited, checked answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from llama_index.core.schema import NodeWithScore

from rag_app.chat.citations import check_figures, cite
from rag_app.chat.llm import ChatLLM
from rag_app.chat.prompts import Turn, chat_messages, stand_alone
from rag_app.chat.quotes import quote_answer
from rag_app.index.retriever import FilingsRetriever
from rag_app.records import Answer

QUOTE_MODE = "none"


class Reply:
    """An answer on its way: iterate it for the text as it comes, then read ``answer``."""

    def __init__(
        self,
        question: str,
        retriever: FilingsRetriever,
        llm: ChatLLM | None,
        history: Sequence[Turn] = (),
    ) -> None:
        self.question = question
        self.searched_for = stand_alone(question, history)
        self._retriever = retriever
        self._llm = llm
        self._history = history
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """The finished answer.

        Raises:
            RuntimeError: the reply was not iterated to its end.
        """
        if self._answer is None:
            raise RuntimeError("iterate the reply before reading its answer")
        return self._answer

    def __iter__(self) -> Iterator[str]:
        """Retrieve, then stream the text; the read path from top to bottom.

        Raises:
            LibraryError: the filters admit no filing.
            LLMError: the LLM server failed; the hits are not lost, ask again.
        """
        began = time.perf_counter()
        hits = self._retriever.retrieve(self.searched_for)
        retrieved = time.perf_counter()

        pieces: list[str] = []
        for piece in self._write(hits):
            pieces.append(piece)
            yield piece
        written = time.perf_counter()

        text, citations = cite("".join(pieces), hits)
        figures = check_figures(text, citations)
        passport = self._retriever.snapshot.passport
        self._answer = Answer(
            text=text,
            citations=citations,
            figures=figures,
            hits=tuple(hits),
            model=passport.model,
            dim=passport.dim,
            llm=self._llm.name if self._llm else QUOTE_MODE,
            timings_ms={
                "retrieve": round(1000 * (retrieved - began), 1),
                "write": round(1000 * (written - retrieved), 1),
                "check": round(1000 * (time.perf_counter() - written), 1),
            },
        )

    def _write(self, hits: list[NodeWithScore]) -> Iterator[str]:
        if self._llm is None:
            embedder = self._retriever.snapshot.embedder
            return iter([quote_answer(self.searched_for, hits, embedder)])
        return self._llm.stream(chat_messages(self.question, hits, self._history))
