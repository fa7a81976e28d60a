"""The sidebar: which filings, which model, which dimension, which LLM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from rag_app.companies import companies_of
from rag_app.filters import item_order
from rag_app.library import Library, StoredFiling
from rag_app.records import Filters
from rag_app.settings import Settings
from rag_app.ui import state
from rag_app.ui.kept import KEPT as KEPT
from rag_app.ui.llm_line import draw_llm
from rag_app.ui.retrieval import draw_retrieval


@dataclass(frozen=True, slots=True)
class Scope:
    """Which filings a question is asked of, and whether its words may narrow that."""

    filters: Filters
    auto_filter: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What the next question is asked of."""

    filters: Filters
    auto_filter: bool
    """Whether a question's words set the filters that are not set here."""
    model: str
    dim: int
    settings: Settings
    """The server's, but for the stages of the search."""


def draw(library: Library) -> Choice:
    """Draw the sidebar and return what stands chosen.

    Raises:
        RagError: the library or the chosen model cannot be read.
    """
    with st.sidebar:
        scope = draw_scope(library)
        chunks = sum(stored.chunk_count for stored in library.filings().values())
        chosen = draw_retrieval(chunks)
        draw_llm()
    return Choice(scope.filters, scope.auto_filter, chosen.model, chosen.dim, chosen.settings)


def draw_scope(library: Library) -> Scope:
    """Draw the filters, which the pages that search share.

    Raises:
        LibraryError: the library cannot be read.
    """
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
    return Scope(filters, auto_filter)


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
        items = _choose("Item", sorted(found, key=item_order))
    return Filters(tickers, forms, map(int, years), ends, items)


def _choose(label: str, options: list[str]) -> list[str]:
    return st.multiselect(label, options, key=label.lower(), placeholder="All", persist_state=KEPT)


def _newest_first(values: Iterable[str]) -> list[str]:
    return sorted(set(values), reverse=True)
