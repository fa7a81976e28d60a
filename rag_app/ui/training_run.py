"""The newest job of the training page: how far it is, its curves, and how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from rag_app.cli import INTERRUPTED, OK
from rag_app.errors import RagError
from rag_app.settings import child_environment
from rag_app.training import Progress, read_progress, verdict, workspace_of
from rag_app.ui import jobs, state
from rag_app.ui.curves import draw_curve
from rag_app.ui.jobs import Job
from rag_app.ui.markdown import written_markdown

OUT = "--out="
RESUME = "--resume"
DRAWN_EVERY_S = 2.0
LOG_LINES = 60
RATED_FROM = 3
"""The step from which a speed is told: the first ones wait for what is loaded and compiled."""
BAR = "%|"
"""In a progress bar's line, in no sentence."""
ERROR, FAULT = "error: ", "internal error: "


def newest() -> Job | None:
    """What training was asked to do last, running or not."""
    return next(iter(jobs.jobs(state.settings().home, "finetune")), None)


def start(title: str, words: Sequence[str]) -> None:
    """Run ``python -m finetune`` with these words.

    Raises:
        JobError: a run is going on.
        LibraryError: the disk is full or read-only.
    """
    chosen = state.settings()
    jobs.start(chosen.home, title, words, child_environment(chosen), "finetune")


def on_click(title: str, words: Sequence[str]) -> None:
    """Start, when a button is pressed; a failure is a sentence that goes by."""
    try:
        start(title, words)
    except RagError as error:
        st.toast(written_markdown(str(error)))


def draw(job: Job) -> None:
    """The job as it stands; a running one is drawn anew every two seconds until it ends."""
    if job.running:
        _draw_running()
    else:
        _draw_ended(job)


@st.fragment(run_every=DRAWN_EVERY_S)
def _draw_running() -> None:
    job = newest()
    if job is None or not job.running:
        st.rerun()
    with st.container(border=True):
        since = _span((dt.datetime.now(dt.UTC) - job.began).total_seconds())
        st.markdown(f"**{written_markdown(job.title)}** · running for {since}")
        _draw_progress(job)
        sentences = [line for line in job.log() if BAR not in line]
        if sentences:
            st.caption(written_markdown(sentences[-1]))
        st.button(
            "Stop",
            on_click=jobs.cancel,
            args=[job],
            help="As Ctrl-C: what was trained up to the last checkpoint is kept.",
        )


def _draw_ended(job: Job) -> None:
    said, title = job.log(), written_markdown(job.title)
    error = next((line for line in reversed(said) if line.startswith((ERROR, FAULT))), "")
    with st.container(border=True):
        if job.code is None:
            st.error(f"{title} was ended from outside, without a word.")
        elif job.code == INTERRUPTED:
            st.warning(f"{title} was stopped.")
        elif error.startswith(FAULT):
            st.error(f"{title} failed inside the program; the log has the details.")
        elif error:
            st.error(written_markdown(f"{job.title}: {error.removeprefix(ERROR)}"))
        else:
            st.markdown(f"**{title}** has ended.")
            _draw_verdict(job, said)
        _draw_progress(job)
        if job.code != OK and _can_go_on(job):
            words = [word for word in job.argv if word != RESUME]
            st.button("Resume", on_click=on_click, args=[job.title, [*words, RESUME]])
        with st.expander("Log"):
            st.code("\n".join(said[-LOG_LINES:]) or "It said nothing.", language=None)


def _draw_verdict(job: Job, said: Sequence[str]) -> None:
    """The gate's own words; where it was not asked, what the program said last."""
    folder = state.settings().home / "models" / _model_of(job)
    text = verdict(folder) if _model_of(job) else ""
    if text or said:
        st.info(written_markdown(text or said[-1]))


def _draw_progress(job: Job) -> None:
    """Steps, speed and curves of a run in the making; nothing where no step was taken yet."""
    name = _model_of(job)
    progress = read_progress(state.settings().home, name) if name else None
    if progress is None:
        return
    share = min(1.0, progress.step / progress.of)
    st.progress(share, text=progress_says(progress, running=job.running))
    _draw_curves(progress)


def progress_says(progress: Progress, *, running: bool) -> str:
    """``Step 40 of 60 · 12 pairs/s · about 30 s left``; the first steps without a speed."""
    said = f"Step {progress.step} of {progress.of}"
    if progress.step < RATED_FROM:
        return said
    speed = progress.pairs_per_s
    said += f" · {speed:.{0 if speed >= 10 else 1}f} pairs/s"
    if running and progress.step < progress.of:
        said += f" · about {_span(progress.left_s)} left"
    return said


def _draw_curves(progress: Progress) -> None:
    curves = {"Loss": progress.losses, "Dev nDCG@10": progress.dev, "Learning rate": progress.rates}
    drawn = {title: points for title, points in curves.items() if points}
    for column, (title, points) in zip(st.columns(len(drawn)), drawn.items(), strict=True):
        draw_curve(column, title, points, progress.of)


def _model_of(job: Job) -> str:
    """The model that a job trains or promotes; empty for one that rolls back."""
    if job.argv[:1] == ("promote",):
        return next((word for word in job.argv[1:] if not word.startswith("-")), "")
    return next((word.removeprefix(OUT) for word in job.argv if word.startswith(OUT)), "")


def _can_go_on(job: Job) -> bool:
    """Whether a stopped run left something in its workspace; a finished one leaves none."""
    name = _model_of(job)
    return bool(name) and (workspace_of(state.settings().home, name) / "scratch").is_dir()


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
