"""Background jobs on the page: how far the running one is, what became of the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from rag_app.cli import INTERRUPTED, OK, USER
from rag_app.errors import RagError
from rag_app.progress_file import Doing, Step
from rag_app.settings import child_environment
from rag_app.ui import state
from rag_app.ui.jobs import Job, cancel, forget_ended, jobs, start
from rag_app.ui.markdown import written_markdown
from rag_app.uploads import uploads_in

EVERY_S = 1.0
"""How often a running job is looked at."""
SHOWN = 4
"""Jobs on the page, the newest first; more are on disk."""
TROUBLES = ("error: ", "internal error: ", "refused ")
DOING: dict[Doing, str] = {
    "fetching": "filings fetched",
    "reading": "files read",
    "encoding": "passages encoded",
    "indexing": "building the index",
}
FIELDS = {
    "--ticker": "Ticker",
    "--form": "Form",
    "--year": "Fiscal year",
    "--period-end": "Period end",
}
"""What the command line's flags, which its messages name, are called on this page."""
KILLED = "Its process was killed; what was finished is kept. Start it again to go on."
STOPPED = "Stopped; what was finished is kept. Start it again to go on."
NOT_KEPT = "What was refused is not kept: upload it again, with what it lacks."
FAULT = "It failed inside the program; its log has the details."


def run_job(title: str, argv: Sequence[str]) -> None:
    """Start a command in the background with the page's model and dimension, and draw it.

    Raises:
        JobError: a job runs already.
        LibraryError: the disk is full or read-only.
    """
    settings = state.settings()
    start(settings.home, title, argv, child_environment(settings))
    st.rerun()


def draw(home: Path) -> bool:
    """Draw the jobs and tell whether one runs; while it does, they are drawn anew by themselves."""
    busy = any(job.running for job in jobs(home))
    st.fragment(_draw, run_every=EVERY_S if busy else None)(home, busy)
    return busy


def _draw(home: Path, was_busy: bool) -> None:
    found = jobs(home)
    if was_busy and not any(job.running for job in found):
        st.rerun()  # the whole page: the library has changed, and nothing is to be watched now
    for job in found[:SHOWN]:
        with st.container(border=True):
            if job.running:
                _draw_running(job)
            else:
                _draw_ended(home, job)
    if any(not job.running for job in found):
        st.button("Clear the list", on_click=forget_ended, args=[home], type="tertiary")


def _draw_running(job: Job) -> None:
    step = job.step
    st.progress(_share(step), text=written_markdown(f"{job.title}: {_says(step)}"))
    lines = job.log()
    if lines and lines[-1].startswith("note: "):  # EDGAR makes us wait, say
        st.caption(written_markdown(lines[-1].removeprefix("note: ")))
    st.button("Cancel", key=f"cancel-{job.folder.name}", on_click=cancel, args=[job])


def _share(step: Step | None) -> float:
    if step is None or not step.total:
        return 1.0 if step and step.doing == "indexing" else 0.0
    return min(1.0, step.done / step.total)


def _says(step: Step | None) -> str:
    if step is None:
        return "starting"
    if step.doing == "indexing":
        return DOING[step.doing]
    of = f" of {step.total:,}" if step.total is not None else ""
    return f"{DOING[step.doing]}, {step.done:,}{of}"


def _draw_ended(home: Path, job: Job) -> None:
    st.caption(written_markdown(f"{job.title} · {_when(job)}"))
    lines = job.log()
    troubles = [line for line in lines if line.startswith(TROUBLES)]
    if job.code == OK:
        st.success(written_markdown(lines[-1] if lines else "Done."))
    elif job.code == USER and troubles:
        if not lines[-1].startswith(TROUBLES):  # some filings were read, others refused
            st.warning(written_markdown(lines[-1]))
        _draw_troubles(troubles)
    else:
        sentence = {None: KILLED, INTERRUPTED: STOPPED}.get(job.code, FAULT)
        st.error(written_markdown(sentence))
    if lines:
        log = st.expander("Log", key=f"log-{job.folder.name}", on_change="rerun")
        if log.open:
            log.code("\n".join(lines), language=None, wrap_lines=True)
    if job.code != OK:
        _draw_again(home, job)


def _draw_troubles(troubles: Sequence[str]) -> None:
    sentences = [line.partition(" ")[2].strip() for line in troubles]
    st.error("\n\n".join(map(written_markdown, sentences)))
    named = [f"{flag} is the field “{field}”" for flag, field in FIELDS.items()]
    told = [says for says in named if any(says.split(" ")[0] in line for line in sentences)]
    if told:
        st.caption(written_markdown(f"On this page {', '.join(told)}."))


def _draw_again(home: Path, job: Job) -> None:
    if not all(path.exists() for path in uploads_in(home, job.argv)):
        st.caption(NOT_KEPT)
        return
    if st.button("Start again", key=f"again-{job.folder.name}"):
        try:
            run_job(job.title, job.argv)
        except RagError as error:
            st.error(written_markdown(str(error)))


def _when(job: Job) -> str:
    began = job.began.astimezone()
    day = "" if began.date() == dt.datetime.now().astimezone().date() else f"{began:%Y-%m-%d} "
    took = f", took {(job.ended - job.began).total_seconds():,.0f} s" if job.ended else ""
    return f"{day}{began:%H:%M}{took}"
