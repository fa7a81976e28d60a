"""The sidebar: which filings, which model, which dimension, which LLM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from rag_app.chat.llm import describe_llm
from rag_app.index.models import known_models
from rag_app.index.served import MINILM
from rag_app.library import Library
from rag_app.records import Filing, Filters
from rag_app.ui import state
from rag_app.ui.markdown import written_markdown

ALL = "All"
KEPT: Final = "session"  # a choice stays while the reader is on another page


@dataclass(frozen=True, slots=True)
class Choice:
    """What the next question is asked of."""

    filters: Filters
    model: str
    dim: int


def draw(library: Library) -> Choice:
    """Draw the sidebar and return what stands chosen.

    Raises:
        RagError: the library or the chosen model cannot be read.
    """
    filings = [stored.filing for stored in library.filings().values()]
    with st.sidebar:
        st.subheader("Filings", anchor=False)
        filters = _filters(filings)
        st.subheader("Retriever", anchor=False)
        model = _model()
        dims = state.embedder(model).spec.dims
        wanted = state.settings().dim
        dim = st.selectbox(
            "Dimension",
            dims,
            index=dims.index(wanted) if wanted in dims else 0,
            key="dim",
            persist_state=KEPT,
            help="Coordinates kept of each embedding: fewer are faster and smaller. A change "
            "derives the index from the stored vectors, without encoding.",
        )
        st.subheader("LLM", anchor=False)
        st.caption(written_markdown(describe_llm(state.settings())))
        st.button("New conversation", on_click=state.start_over, width="stretch")
    return Choice(filters, model, dim)


def _filters(filings: list[Filing]) -> Filters:
    companies = {who: f"{who} · {f.company}" for f in filings if (who := f.ticker or f.cik)}
    company = st.selectbox(
        "Company",
        [ALL, *sorted(companies, key=lambda ticker: companies[ticker])],
        format_func=lambda ticker: companies.get(ticker, ALL),
        key="company",
        persist_state=KEPT,
    )
    # Only what the chosen company has: a choice that matches nothing cannot be made.
    narrowed = [f for f in filings if Filters(ticker="" if company == ALL else company).admits(f)]
    form = st.selectbox(
        "Form", [ALL, *sorted({f.form for f in narrowed})], key="form", persist_state=KEPT
    )
    years = sorted({f.fiscal_year for f in narrowed if form in (ALL, f.form)}, reverse=True)
    year = st.selectbox("Fiscal year", [ALL, *map(str, years)], key="year", persist_state=KEPT)
    return Filters(
        ticker="" if company == ALL else company,
        form="" if form == ALL else form,
        fiscal_year=None if year == ALL else int(year),
    )


def _model() -> str:
    settings = state.settings()
    names = list(dict.fromkeys([settings.model, *known_models(settings.home)]))
    tuned = set(known_models(settings.home)) - {MINILM}
    return st.selectbox(
        "Model",
        names,
        format_func=lambda name: f"{name} ({'tuned' if name in tuned else 'base'})",
        key="model",
        persist_state=KEPT,
        help="A model that never read the library encodes it once, at the first question.",
    )
