"""The forms that add filings: fetched from EDGAR by ticker, or uploaded; both become jobs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import streamlit as st

from rag_app.errors import FilingError, LibraryError, RagError
from rag_app.filings.edgar import SET_IDENTITY
from rag_app.filings.edgar_wanted import wanted_companies, wanted_filings
from rag_app.filings.forms import FORM_ITEMS, form_items
from rag_app.ingest import FILING_SUFFIXES
from rag_app.settings import Settings
from rag_app.ui import state
from rag_app.ui.job_list import run_job
from rag_app.ui.jobs import jobs
from rag_app.ui.markdown import written_markdown
from rag_app.uploads import forget_refused, keep_upload, safe_name, uploads_in

FORMS = [name for form in FORM_ITEMS for name in (form, f"{form}/A")]
NAMED = 3
"""Files that a job's title names."""


class Upload(Protocol):
    """What ``st.file_uploader`` gives."""

    @property
    def name(self) -> str:
        """As the browser sent it."""

    @property
    def size(self) -> int:
        """In bytes."""

    def getvalue(self) -> bytes:
        """All of them."""


def draw(*, busy: bool, empty: bool) -> None:
    """Draw the forms, folded unless the library is empty; while a job runs they wait."""
    with st.expander("Add filings", expanded=empty):
        fetching, uploading = st.tabs(["Fetch from EDGAR", "Upload files"])
        with fetching:
            _draw_fetch(state.settings(), busy=busy)
        with uploading:
            _draw_upload(state.settings(), busy=busy)


def _draw_fetch(settings: Settings, *, busy: bool) -> None:
    known = "@" in settings.edgar_identity
    if not known:
        st.info(written_markdown(f"{SET_IDENTITY} Then start the chat again."))
    with st.form("fetch", border=False):
        ticker = st.text_input("Ticker or CIK", placeholder="NVDA", disabled=not known)
        form = st.selectbox("Form", FORMS, key="fetch-form", disabled=not known)
        years = st.text_input(
            "Fiscal years",
            placeholder="2023 or 2021-2023; empty: the newest filing",
            disabled=not known,
            help="Of an 8-K the calendar years.",
        )
        asked = st.form_submit_button("Fetch", disabled=busy or not known)
    if asked:
        _try(lambda: _fetch(ticker.strip(), form, years.replace(" ", "")))


def _fetch(ticker: str, form: str, years: str) -> None:
    """Start a fetch, or raise what `ingest` would say of these fields."""
    if not ticker:
        raise FilingError("Name a company by its ticker, such as NVDA, or its CIK.")
    company = wanted_companies(ticker, None)[0]
    wanted = wanted_filings(form, years, None)
    form_items(wanted.form)
    argv = ["ingest", f"--ticker={company}", f"--form={wanted.form}"]
    run_job(f"Fetch {company} {wanted}", argv + ([f"--year={years}"] if years else []))


def _draw_upload(settings: Settings, *, busy: bool) -> None:
    limit_mb = min(settings.max_file_mb, int(st.get_option("server.maxUploadSize")))
    turn = st.session_state.setdefault("upload-turn", 0)  # a new form once the last was sent
    with st.form(f"upload-{turn}", border=False):
        files = st.file_uploader(
            f"HTML, PDF or text, at most {limit_mb} MB each",
            sorted(FILING_SUFFIXES),
            accept_multiple_files=True,
            max_upload_size=limit_mb,
            key=f"files-{turn}",
        )
        st.caption("A larger file is added with `python -m rag_app ingest PATH`.")
        st.caption("What a filing's cover does not say, or says wrongly:")
        with st.container(horizontal=True):
            ticker = st.text_input("Ticker", key=f"ticker-{turn}")
            form = st.selectbox(
                "Form", ["", *FORMS], key=f"form-{turn}", format_func=lambda name: name or "as said"
            )
            year = st.text_input("Fiscal year", key=f"year-{turn}")
            end = st.date_input(
                "Period end",
                None,
                key=f"end-{turn}",
                min_value=dt.date(1990, 1, 1),
                max_value=dt.date.today() + dt.timedelta(days=366),
            )
        asked = st.form_submit_button("Add", disabled=busy)
    if asked:
        flags = {"ticker": ticker.strip(), "form": form, "year": year.strip()}
        flags["period-end"] = end.isoformat() if end else ""
        _try(lambda: _upload(settings, files, flags, limit_mb))


def _upload(
    settings: Settings, files: Sequence[Upload], flags: dict[str, str], limit_mb: int
) -> None:
    """Keep the files and start reading them; where that cannot be started, none is kept.

    Raises:
        FilingError: there is none, one is too large or no filing by its name, or fields that are
            one filing's were given for several.
        JobError: a job runs already.
        LibraryError: the disk is full or read-only.
    """
    check_uploads(files, flags, limit_mb)
    said = [f"--{name}={value}" for name, value in flags.items() if value]
    paths: list[Path] = []
    try:
        for file in files:
            paths.append(keep_upload(settings.home, file.name, file.getvalue()).resolve())
        st.session_state["upload-turn"] += 1
        run_job(_title(files), ["ingest", *said, *map(str, paths)])
    except RagError:
        _forget_unread(settings.home, paths)
        raise


def _forget_unread(home: Path, paths: Sequence[Path]) -> None:
    """Remove the uploads that no filing was read from and no job on the page names."""
    named = {path.parent for job in jobs(home) for path in uploads_in(home, job.argv)}
    with suppress(LibraryError):  # it cannot be read; the failure that led here is what is said
        forget_refused(home, [path for path in paths if path.parent not in named])


def check_uploads(files: Sequence[Upload], flags: dict[str, str], limit_mb: int) -> None:
    """Refuse what need not be kept first; see ``_upload``."""
    if not files:
        raise FilingError(
            f"Choose one or more files to add, each of at most {limit_mb} MB; a larger one: "
            "`python -m rag_app ingest PATH`."
        )
    for file in files:
        safe_name(file.name)
        if file.size > limit_mb * 1_000_000:
            raise FilingError(
                f"{_shown(file)} has {file.size / 1e6:.0f} MB and the page takes at most "
                f"{limit_mb} MB; add it with `python -m rag_app ingest PATH`."
            )
    if len(files) > 1 and (flags["year"] or flags["period-end"]):
        raise FilingError(
            "A fiscal year and a period end are one filing's; leave them empty, or upload the "
            "files one by one."
        )
    if flags["year"] and not (flags["year"].isdecimal() and len(flags["year"]) == 4):
        raise FilingError(f"{flags['year']} is no fiscal year; give one such as 2023.")


def _title(files: Sequence[Upload]) -> str:
    more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    return f"Add {', '.join(map(_shown, files[:NAMED]))}{more}"


def _shown(file: Upload) -> str:
    return "".join(char if char.isprintable() else "?" for char in file.name)[:80]


def _try(action: Callable[[], None]) -> None:
    try:
        action()
    except RagError as error:
        st.error(written_markdown(str(error)))
