"""READ PATH on one screen: question to hits, prompt, and a cited, checked answer."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence

from llama_index.core.llms import ChatMessage
from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.amounts import with_amounts
from rag_app.chat.calculate import Calculation, computed, with_calculations
from rag_app.chat.citations import as_quoted, check_figures, cite, unknown_markers
from rag_app.chat.followups import stand_alone
from rag_app.chat.llm import ChatLLM
from rag_app.chat.prompts import Form, Turn, chat_messages
from rag_app.chat.quotes import quote_answer
from rag_app.chat.refusal import evidence_of, load_calibration, refusal_answer
from rag_app.chat.tools import written
from rag_app.chat.unseen import without_unseen
from rag_app.companies import companies_of
from rag_app.facts import cited_facts
from rag_app.filings.chunks import passage_text
from rag_app.index.asked import Asked
from rag_app.index.balanced import asked_of, retriever_of
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
        *,
        auto_filter: bool = False,
        searched_for: str = "",
        refuse_below: float | None = None,
    ) -> None:
        """Nothing is asked yet.

        The retriever's filters are the explicit ones; with ``auto_filter`` the question's words
        complete them. ``searched_for`` is searched in place of the question, as the user wrote it.
        Where the filings answer with a probability under ``refuse_below``, the reply refuses; none:
        the threshold that the model was calibrated to.
        """
        self.question = question
        self._written = searched_for
        self._auto_filter = auto_filter
        self._retriever = retriever
        self._llm = llm
        self._history = history
        self._refuse_below = refuse_below
        self._answer: Answer | None = None

    @functools.cached_property
    def searched_for(self) -> str:
        """The question as it is searched: a follow-up stands alone in it."""
        companies = companies_of(self._retriever.snapshot.opened.covers.values())
        return self._written or stand_alone(self.question, self._history, companies, self._llm)

    @functools.cached_property
    def asked(self) -> Asked:
        """Which filings are searched, and what there is to say about that."""
        return asked_of(
            self._retriever.snapshot,
            self.searched_for,
            self._retriever.filters,
            by_itself=self._auto_filter,
        )

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
        hits = retriever_of(self._retriever, self.asked).retrieve(self.searched_for)
        retrieved = time.perf_counter()

        llm = None if (refused := self._refuses(hits)) else self._llm
        if not refused:
            hits = with_amounts(self.searched_for, hits, self._retriever, self.asked)
        pieces: list[str] = []
        done: list[Calculation] = []
        for piece in computed(self._write(hits, done, refused=refused), done):
            pieces.append(piece)
            yield piece
        ended = time.perf_counter()

        written_text = "".join(pieces)
        text, citations = cite(written_text, hits)
        snapshot = self._retriever.snapshot
        passport = snapshot.passport
        facts = cited_facts(snapshot.library, passport.filings, citations)
        checked = check_figures(text, citations, facts)
        if llm is None:
            checked = as_quoted(checked, citations)
        figures = with_calculations(checked, done, citations)
        self._answer = Answer(
            text=text,
            citations=citations,
            figures=figures,
            hits=tuple(hits),
            model=passport.model,
            dim=passport.dim,
            llm=llm.name if llm else QUOTE_MODE,
            timings_ms={
                "retrieve": round(1000 * (retrieved - began), 1),
                "write": round(1000 * (ended - retrieved), 1),
                "check": round(1000 * (time.perf_counter() - ended), 1),
            },
            searched_for=self.searched_for,
            filters=self.asked.filters,
            unknown_markers=unknown_markers(written_text, hits),
            notes=self.asked.notes,
        )

    def _refuses(self, hits: list[NodeWithScore]) -> bool:
        """Whether the evidence is too weak, or of other companies than those asked about.

        A model that is not calibrated refuses for the second alone.
        """
        if self.asked.missing:
            return True
        snapshot = self._retriever.snapshot
        calibration = load_calibration(snapshot.embedder.spec)
        if calibration is None:
            return False
        evidence = evidence_of(self.searched_for, hits, snapshot, self.asked.filters)
        return calibration.refuses(evidence, self._refuse_below)

    def _write(
        self, hits: list[NodeWithScore], done: list[Calculation], *, refused: bool
    ) -> Iterator[str]:
        embedder = self._retriever.snapshot.embedder
        if refused:
            missing = self.asked.missing
            return iter([refusal_answer(self.searched_for, hits, embedder, missing)])
        if self._llm is None:
            return iter([quote_answer(self.searched_for, hits, embedder)])

        def messages(form: Form) -> list[ChatMessage]:
            return chat_messages(self.question, hits, self._history, form)

        passages = [passage_text(hit.node) for hit in hits if isinstance(hit.node, TextNode)]
        return map(without_unseen, written(self._llm, messages, passages, done))
