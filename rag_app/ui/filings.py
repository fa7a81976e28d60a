"""The filings page: what the library covers, what is being added, how well each was read."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import streamlit as st

from rag_app.errors import LibraryError, RagError
from rag_app.health import SHORT_ITEM, filing_health
from rag_app.library import Library, StoredFiling
from rag_app.records import Filters
from rag_app.ui import adding, job_list, state
from rag_app.ui.coverage import COMPANY, coverage_rows, filing_labels
from rag_app.ui.markdown import written_markdown

# The states of an Item that are to catch the eye; the others are plain words.
STATES = {"missing": ":red-badge[missing]", "short": ":orange-badge[short]"}
UNKNOWN = "–"
# Most names with their tickers; on a telephone a year stays beside it.
COMPANY_PX = 200


def page() -> None:
    """Draw the page from top to bottom."""
    st.set_page_config(page_title="Filings · Filings RAG", page_icon="📄", layout="centered")
    st.header("Filings", anchor=False)
    try:
        library = Library(state.settings().home)
        busy = job_list.draw(library.home)
    except RagError as error:
        st.error(written_markdown(str(error)))
        return
    try:
        stored, problem = library.filings(), ""
    except RagError as error:  # one is damaged; others can be added all the same
        stored, problem = {}, str(error)
    adding.draw(busy=busy, empty=not stored)
    try:
        if problem:
            raise LibraryError(problem)
        library.check_filters(Filters())
        _coverage(stored)
        key = _choice(stored)
        _remove(key, busy=busy)
        _health(library, key, stored[key])
    except RagError as error:
        st.error(written_markdown(str(error)))


def _coverage(stored: dict[str, StoredFiling]) -> None:
    rows = coverage_rows(each.filing for each in stored.values())
    chunks = sum(each.chunk_count for each in stored.values())
    st.caption(f"{len(stored)} filings of {len(rows)} companies, {chunks:,} chunks")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={COMPANY: st.column_config.TextColumn(pinned=True, width=COMPANY_PX)},
        alt="Forms in the library by company and fiscal year",
    )


def _choice(stored: dict[str, StoredFiling]) -> str:
    labels = filing_labels({key: each.filing for key, each in stored.items()})
    return st.selectbox(
        "Filing", labels, format_func=labels.__getitem__, key="filing", persist_state="session"
    )


def _remove(key: str, *, busy: bool) -> None:
    """Ask once more, then take the filing out as `remove KEY` does."""
    with st.popover("Delete this filing", disabled=busy, key=f"delete-{key}"):
        st.markdown(
            written_markdown(
                f"Delete {key} with its passages, vectors and upload? Answers that cite it stay "
                "in the conversation."
            )
        )
        if st.button("Yes, delete it", key=f"really-{key}"):
            job_list.run_job(f"Delete {key}", ["remove", key])


def _health(library: Library, key: str, stored: StoredFiling) -> None:
    """What ``status --filing KEY`` tells, and besides it the facts, the source and the dates.

    Raises:
        LibraryError: the filing's sections or chunks cannot be read.
    """
    with st.spinner("Reading the filing ..."):
        health = filing_health(library, key)
        facts, problem = _fact_count(library, key, stored)
    st.caption(written_markdown(_identity(key, stored)))
    items = health["items"]
    found = sum(item["state"] != "missing" for item in items)
    with st.container(horizontal=True):
        st.metric("Items found", f"{found} of {len(items)}")
        st.metric(
            "Text covered",
            _share(health["covered"]),
            help="Share of the visible letters and digits that stand in a section or were left "
            "out as boilerplate.",
        )
        st.metric(
            "Boilerplate",
            _share(health["boilerplate"]),
            help="Share left out: page headers, page numbers, contents.",
        )
        st.metric("XBRL facts", facts, help="Only inline XBRL has facts; a PDF or text has none.")
    if health["covered"] is None:
        st.info("The covered share of this filing was not measured; ingest its file again.")
    if problem:
        st.warning(written_markdown(problem))
    if health["notes"]:
        st.warning("\n".join(f"- {written_markdown(note)}" for note in health["notes"]))
    st.table(_items(health), border="horizontal", hide_index=True, alt="Items of the filing")
    st.caption(
        f"Short: under {SHORT_ITEM} characters, often no more than the heading. Shared: its text "
        "stands under the heading of another Item."
    )


def _identity(key: str, stored: StoredFiling) -> str:
    filing = stored.filing
    parts = [f"Period ended {filing.period_end}"]
    if filing.filed:
        parts.append(f"filed {filing.filed}")
    return " · ".join([*parts, f"from {PurePath(filing.source).name}", f"key {key}"])


def _fact_count(library: Library, key: str, stored: StoredFiling) -> tuple[str, str]:
    """How many facts there are, and why that is unknown where it is."""
    try:
        return f"{len(library.facts(key, stored.version)):,}", ""
    except RagError as error:
        return UNKNOWN, str(error)


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.2%}"


def _items(health: dict[str, Any]) -> list[dict[str, str | int]]:
    """The Items with their sizes, and last what stands outside them; the cells are Markdown."""
    outside = {"item": UNKNOWN, "state": "outside", "title": "Cover, signatures, exhibits"}
    return [
        {
            "Item": written_markdown(row["item"]),
            "Title": written_markdown(row["title"]),
            "State": STATES.get(row["state"], row["state"]),
            "Characters": row["characters"],
            "Chunks": row["chunks"],
        }
        for row in [*health["items"], outside | health["outside_items"]]
    ]


page()
