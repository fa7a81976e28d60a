"""The evaluation page: the reports of `python -m eval report` that stand in the home."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from rag_app.errors import LibraryError, RagError
from rag_app.ui import state
from rag_app.ui.markdown import written_markdown
from rag_app.ui.measured import REPORTS

REPORT_FILE = "report.md"
PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<file>[\w.-]+)\)\s*")


def page() -> None:
    """Draw the page from top to bottom."""
    st.set_page_config(page_title="Evaluation · Filings RAG", page_icon="📄", layout="centered")
    st.header("Evaluation", anchor=False)
    try:
        found = reports(state.settings().home)
        names = [folder.name for folder in found]
        name = st.selectbox("Report", names, key="report", persist_state="session")
        _draw(found[names.index(name)])
    except RagError as error:
        st.error(written_markdown(str(error)))


def reports(home: Path) -> list[Path]:
    """The folders that hold a report, newest first.

    Raises:
        LibraryError: there is none; the message names the command.
    """
    found = [path for path in (home / REPORTS).glob(f"*/{REPORT_FILE}") if path.is_file()]
    if not found:
        raise LibraryError(
            "There is no report yet; score two models with `python -m eval run --out FILE` and run "
            f"`python -m eval report BASE.json TUNED.json --out {home / REPORTS / 'NAME'}`."
        )
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in found]


def _draw(folder: Path) -> None:
    """The report's own Markdown, its pictures out of its folder."""
    try:
        lines = (folder / REPORT_FILE).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(
            f"{folder / REPORT_FILE} cannot be read ({type(error).__name__}); write it anew."
        ) from None
    text: list[str] = []
    for line in lines:
        picture = PICTURE.fullmatch(line)
        if picture is None:
            # One level down: the page has a heading; a dollar would begin a formula.
            text.append(re.sub(r"^(?=#)", "#", line).replace("$", "\\$"))
            continue
        _write(text)
        if (folder / picture["file"]).is_file():
            st.image(str(folder / picture["file"]), caption=picture["alt"])
    _write(text)


def _write(lines: list[str]) -> None:
    if any(lines):
        st.markdown("\n".join(lines))
    lines.clear()


page()
