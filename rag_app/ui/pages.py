"""The app: which pages there are, and one sentence when one of them fails."""

from __future__ import annotations

import logging

import streamlit as st

# What Streamlit has no option for. A table wider than the screen moves by itself: without this the
# whole page does, on a telephone. There an example question takes two lines, which it would centre.
# A retriever's name is too long for the size of a heading. On a telephone an answer's bullets would
# leave two thirds of the width to its text.
STYLE = """<style>
[data-testid=stMarkdownContainer] table {display: block; overflow-x: auto}
.st-key-examples button, .st-key-examples button > div {justify-content: flex-start}
.st-key-examples button p {text-align: left}
[class*=st-key-side-] h3 {font-size: 1.15rem; padding-bottom: 0}
@media (max-width: 640px) {
[data-testid=stChatMessage] {padding-left: 0; padding-right: 0; gap: .4rem}
[data-testid=stChatMessage] :is(ul, ol) {padding-left: 0}
[data-testid=stChatMessage] li {margin-left: 1.1em; padding-left: 0}
}
</style>"""
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
    st.html(STYLE)
    try:
        chosen.run()
    except Exception:
        logging.getLogger(__name__).exception("the page %s failed", chosen.title)
        st.error(FAULT)


app()
