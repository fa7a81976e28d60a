"""The retriever for programs in Python: one call from the settings to LlamaIndex hits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag_app.cli import Opened, open_embedder, open_index, open_library
from rag_app.records import Filters
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from rag_app.index.retriever import FilingsRetriever


def open_retriever(filters: Filters = Filters(), **settings: Any) -> FilingsRetriever:  # noqa: B008 - frozen
    """The retriever that the settings name, over the filings that the filters admit.

    ``settings`` are fields of ``Settings``, such as ``home``, ``dim`` or ``k``; they win over the
    environment and the files. What a question's own words name sets no filter here.

    Raises:
        RagError: a setting is wrong, no filing passes the filters, or the library, the model or the
            index cannot be used.
    """
    from rag_app.index.retriever import served_retriever

    chosen = load_settings(**settings)
    embedder = open_embedder(chosen)
    library = open_library(chosen)
    library.check_filters(filters)
    opened = Opened(chosen, library, embedder, embedder.spec.check_dim(chosen.dim))
    return served_retriever(open_index(opened), chosen, filters)
