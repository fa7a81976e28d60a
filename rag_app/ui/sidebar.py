"""The sidebar: which filings, which model, which dimension, which LLM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from rag_app.chat.llm import describe_llm
from rag_app.companies import companies_of
from rag_app.index.models import known_models
from rag_app.index.served import MINILM
from rag_app.library import Library, StoredFiling
from rag_app.records import Filters
from rag_app.ui import state
from rag_app.ui.markdown import written_markdown

KEPT: Final = "session"  # a choice stays while the reader is on another page


@dataclass(frozen=True, slots=True)
class Choice:
    """What the next question is asked of."""

    filters: Filters
    auto_filter: bool
    """Whether a question's words set the filters that are not set here."""
    model: str
    dim: int


def draw(library: Library) -> Choice:
    """Draw the sidebar and return what stands chosen.

    Raises:
        RagError: the library or the chosen model cannot be read.
    """
    with st.sidebar:
        st.subheader("Filings", anchor=False)
        filters = _filters(list(library.filings().values()))
        auto_filter = st.checkbox(
            "Filter by the question's words",
            state.settings().auto_filter,
            key="auto_filter",
            persist_state=KEPT,
            help="A question that names a company, a year, a form or an Item is asked of those, "
            "and the answer says so. What is chosen above wins.",
        )
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
    return Choice(filters, auto_filter, model, dim)


def _filters(stored: Sequence[StoredFiling]) -> Filters:
    """What is chosen. Each field offers only what those above it leave, so that no choice matches
    nothing.
    """
    companies = companies_of(each.filing for each in stored)
    names = {
        f"{each.label} · {each.name}" if each.ticker else each.name: each for each in companies
    }
    chosen = [names[name] for name in _choose("Company", sorted(names))]
    tickers = [mark for company in chosen for mark in company.marks(company.filings)]
    kept = [each for each in stored if Filters(tickers).admits(each.filing)]
    forms = _choose("Form", sorted({each.filing.form for each in kept}))
    kept = [each for each in kept if Filters(form=forms).admits(each.filing)]
    years = _choose("Fiscal year", _newest_first(str(each.filing.fiscal_year) for each in kept))
    kept = [each for each in kept if not years or str(each.filing.fiscal_year) in years]
    with st.expander("Period and Item"):
        ends = _choose("Period to", _newest_first(str(each.filing.period_end) for each in kept))
        kept = [each for each in kept if Filters(period=ends).admits(each.filing)]
        found = {item for each in kept for item in each.health.items_found}
        items = _choose("Item", sorted(found, key=_order_of_item))
    return Filters(tickers, forms, map(int, years), ends, items)


def _choose(label: str, options: list[str]) -> list[str]:
    return st.multiselect(label, options, key=label.lower(), placeholder="All", persist_state=KEPT)


def _newest_first(values: Iterable[str]) -> list[str]:
    return sorted(set(values), reverse=True)


def _order_of_item(item: str) -> tuple[str, float, str]:
    """Part, number, letter: ``7`` before ``7A`` before ``10``, and part II behind part I."""
    part, _, number = item.rpartition("-")
    digits = number.rstrip("ABC")
    return part, float(digits or 0), number


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
