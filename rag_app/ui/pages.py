"""The app: which pages there are, and one sentence when one of them fails."""

from __future__ import annotations

import logging

import streamlit as st

# A table wider than the screen moves by itself: without this the whole page does, on a telephone.
WIDE_TABLES = (
    "<style>[data-testid=stMarkdownContainer] table {display: block; overflow-x: auto}</style>"
)
FAULT = "The page failed inside the program; its log has the details. Reload the page."


def app() -> None:
    """Draw the page that the address names; the others are not even imported."""
    # Without icons: Streamlit fetches a page's icon for the browser's tab from Google.
    chosen = st.navigation(
        [
            st.Page("app.py", title="Chat", default=True),
            st.Page("filings.py", title="Filings"),
            st.Page("compare.py", title="Compare"),
            st.Page("evaluation.py", title="Evaluation"),
            st.Page("training.py", title="Training"),
        ],
        position="top",
    )
    st.html(WIDE_TABLES)
    try:
        chosen.run()
    except Exception:
        logging.getLogger(__name__).exception("the page %s failed", chosen.title)
        st.error(FAULT)


app()
