"""What the page keeps between reruns: embedders, snapshots, the LLM, and the conversation."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import streamlit as st

from rag_app.chat.llm import ChatLLM, open_llm
from rag_app.index.build import index_root
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model, weights_changed_at
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Answer
from rag_app.sealed import current
from rag_app.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Message:
    """A question, and its answer or the one sentence that says why there is none."""

    question: str
    searched_for: str
    answer: Answer | None
    error: str = ""


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
    loaded = Embedder(spec)
    # Importing torch takes seconds: do it while the first question is typed.
    threading.Thread(target=lambda: loaded.encode_queries(["warm up"]), daemon=True).start()
    return loaded


def snapshot(model: str, dim: int) -> Snapshot:
    """The index to answer from; opened anew when the library or the served index changed.

    Raises:
        RagError: as ``open_snapshot``.
    """
    library = Library(settings().home)
    serving = current(index_root(library.home, embedder(model).spec, dim))
    opened, notes = _snapshot(model, dim, str(serving), tuple(sorted(library.versions().items())))
    for note in notes:
        st.toast(note)
    return opened


@st.cache_resource(show_spinner="Opening the index ...", max_entries=8)
def _snapshot(
    model: str, dim: int, serving: str, versions: tuple[tuple[str, str], ...]
) -> tuple[Snapshot, list[str]]:
    """``serving`` and ``versions`` are the state that the cached snapshot stands for."""
    notes: list[str] = []
    library = Library(settings().home)
    return open_snapshot(library, embedder(model), dim, on_note=notes.append), notes


def messages() -> list[Message]:
    """The conversation of this browser session, oldest first."""
    conversation: list[Message] = st.session_state.setdefault("messages", [])
    return conversation
