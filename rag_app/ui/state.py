"""What the page keeps between reruns: embedders, snapshots, the LLM, and the conversation."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import streamlit as st

from rag_app.chat.llm import ChatLLM, open_llm
from rag_app.chat.message import Message as Message
from rag_app.index.build import Progress, chunks_without_vectors, index_root
from rag_app.index.chroma_server import dense_store
from rag_app.index.embedder import Embedder
from rag_app.index.encoders import encoder_cache
from rag_app.index.models import resolve_model, weights_changed_at
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.settings import Settings, load_settings
from rag_app.ui.markdown import written_markdown
from rag_app.ui.open_snapshots import Kept, OpenSnapshots

UNANSWERED = (
    "This question has no answer: another was asked, or the page was loaded anew or left, before "
    "the answer was whole. Ask it again."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question to be answered: what is searched for it if not itself, and whether its words may
    set filters.
    """

    question: str
    searched_for: str = ""
    auto_filter: bool = True
    kept: int | None = None
    """Its number among the messages that are kept; none before it is."""


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings as they stood when the server started."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def llm() -> ChatLLM | None:
    """The LLM that the settings choose; a local server is started once for all sessions."""
    return open_llm(settings())


def embedder(model: str) -> Embedder:
    """The embedder of a model; a retrained model of the same name is loaded anew."""
    return _embedder(model, weights_changed_at(model, settings().home))


@st.cache_resource(show_spinner=False, max_entries=4)
def _embedder(model: str, changed_at: float) -> Embedder:
    chosen = settings()
    spec = resolve_model(
        model,
        chosen.home,
        query_prompt=chosen.query_prompt,
        document_prompt=chosen.document_prompt,
    )
    embedder = Embedder(spec, encoder=chosen.encoder, cache=encoder_cache(chosen.home))
    # Importing torch takes seconds: do it while the first question is typed.
    threading.Thread(target=_warm_up, args=[embedder], daemon=True).start()
    return embedder


def _warm_up(embedder: Embedder) -> None:
    try:
        embedder.encode_queries(["warm up"])
    except Exception:  # the first question meets it too, and says so on the page
        logging.getLogger(__name__).debug("warming up failed", exc_info=True)


@st.cache_resource(show_spinner=False)
def _opened() -> OpenSnapshots:
    return OpenSnapshots()


def snapshot(model: str, dim: int) -> Snapshot:
    """The index to answer from; opened anew when the library or the served index changed.

    A model that never encoded the library does so now, behind a progress bar.

    Raises:
        RagError: as ``open_snapshot``.
    """
    library = Library(settings().home, dense_store(settings()))
    chosen = embedder(model)
    root = index_root(library.home, chosen.spec, dim)
    opened = _opened()
    found = opened.find(root, library.versions())
    if found is None:
        with opened.opening:
            versions = library.versions()
            found = opened.find(root, versions)  # another session may have opened it meanwhile
            if found is None:
                found = _open(library, chosen, dim)
                opened.keep(root, versions, found)
    if st.session_state.get("noted") != found.notes:  # once a session, not at every rerun
        st.session_state["noted"] = found.notes
        for note in found.notes:
            st.toast(written_markdown(note))
    return found.snapshot


def _open(library: Library, chosen: Embedder, dim: int) -> Kept:
    notes: list[str] = []
    waiting = chunks_without_vectors(library, chosen.spec)
    with _encoding_bar(chosen.spec.name, waiting) as on_progress:
        fresh = open_snapshot(library, chosen, dim, on_progress=on_progress, on_note=notes.append)
    return Kept(fresh, tuple(notes), time.monotonic())


@contextmanager
def _encoding_bar(model: str, total: int) -> Iterator[Progress]:
    """A bar that shows up where chunks are to be encoded, and goes when the index stands."""
    box = st.empty()
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        box.progress(min(1.0, done / max(1, total)), text=_encoding_says(model, done, total))

    if total:
        advance(0)
    yield advance
    box.empty()


def _encoding_says(model: str, done: int, total: int) -> str:
    if not done:
        return f"{model} reads the library for the first time: loading the model"
    if done < total:
        return f"{model} reads the library for the first time: {done:,} of {total:,} passages"
    return f"{model} has read the library's {total:,} passages: building the index"


def messages() -> list[Message]:
    """The conversation of this browser session, oldest first."""
    conversation: list[Message] = st.session_state.setdefault("messages", [])
    return conversation


def ask(question: str, searched_for: str = "", auto_filter: bool = True) -> None:
    """Put a question up to be answered; it stays up when a rerun interrupts its answer.

    One whose answer it interrupts stays without, unless it is the same in another way.
    """
    left, kept = waiting(), None
    if left and left.question == question:
        kept = left.kept
    elif left:
        messages().append(unanswered(left))
    st.session_state["waiting"] = Waiting(question, searched_for, auto_filter, kept)


def waiting() -> Waiting | None:
    """The question that is to be answered now, or none."""
    question: Waiting | None = st.session_state.get("waiting")
    return question


def kept_as(number: int) -> None:
    """Note as which message the waiting question is kept."""
    question = waiting()
    assert question is not None
    st.session_state["waiting"] = replace(question, kept=number)


def unanswered(question: Waiting) -> Message:
    """What stands for a question until its answer is there."""
    searched_for = question.searched_for or question.question
    return Message(question.question, searched_for, Filters(), None, UNANSWERED)


def answered(message: Message) -> None:
    """End the waiting question with what it got."""
    messages().append(message)
    st.session_state["waiting"] = None


def conversation() -> str:
    """Names the conversation that is shown; empty until its first answer is kept."""
    name: str = st.session_state.get("conversation", "")
    return name


def show(name: str, kept: list[Message]) -> None:
    """Show a conversation that was kept; the question that was waiting is another's."""
    start_over()
    st.session_state["conversation"] = name
    st.session_state["messages"] = kept


def start_over() -> None:
    """Leave the conversation for an empty one."""
    st.session_state["messages"] = []
    st.session_state["waiting"] = None
    st.session_state["conversation"] = ""
    for key in [str(key) for key in st.session_state if str(key).startswith("edited-")]:
        del st.session_state[key]  # typed for a message of that number in the one that is left
