"""The training page: the pairs collected, a run and its verdict, what is served."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.feedback_pairs import feedback_pairs
from rag_app.errors import RagError, TrainingError
from rag_app.index.models import trained_models
from rag_app.index.served import TUNED_MINILM, served_model
from rag_app.sealed import write_whole
from rag_app.training import PICTURE, card_table, recipes, verdict, workspace_of
from rag_app.ui import state, training_run
from rag_app.ui.markdown import answer_markdown, written_markdown
from rag_app.ui.training_run import OUT

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

# Folder of the home: files that were uploaded to train on. The gate reads them again later.
UPLOADS = "training-data"
# Where on the page the run stands: under the button that starts it.
RUN = "last-run"
# Of a row in the table of pairs: a question takes two or three lines.
ROW_PX = 76
# Together they are as wide as the page.
WIDTHS_PX = {"Question": 250, "Passage": 180, "State": 90, "Found by": 120, "Id": 60}


def page() -> None:
    """Draw the page from top to bottom."""
    st.set_page_config(page_title="Training · Filings RAG", page_icon="📄", layout="centered")
    st.header("Training", anchor=False)
    try:
        home = state.settings().home
        job = training_run.newest()
        busy = job is not None and job.running
        _served(home, busy=busy)
        if job is not None and job.running:
            st.markdown(f"{written_markdown(job.title)} is going on: [see how far it is](#{RUN}).")
        _start(home, _pairs(home), busy=busy)
        if job is not None:
            st.subheader("The last run", anchor=RUN)
            training_run.draw(job)
        _models(home, busy=busy)
    except RagError as error:
        st.error(written_markdown(str(error)))


def _served(home: Path, *, busy: bool) -> None:
    """What answers in the chat, and the way back to what did before."""
    served, settings = served_model(home), state.settings()
    named = "model" in settings.model_fields_set
    if not named and settings.model != served:
        state.settings.clear()  # it was promoted or withdrawn since the server started
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Served now: **{written_markdown(served)}**")
        st.button(
            "Roll back",
            on_click=training_run.on_click,
            args=["Rolling back", ["promote", "--rollback"]],
            disabled=busy or served == TUNED_MINILM,
            help="Serve what was served before the last promotion.",
        )
    if named and settings.model != served:
        st.caption(written_markdown(f"Your settings name {settings.model}, which goes before."))


def _pairs(home: Path) -> int:
    """The pairs that were marked in the chat; returns how many may train."""
    st.subheader("Pairs collected", anchor=False)
    marks = {mark.id: mark for mark in FeedbackStore(home).marks()}
    pairs = feedback_pairs(list(marks.values()))
    counts = Counter(pair.state for pair in pairs)
    with st.container(horizontal=True):
        st.metric("Accepted", counts["accepted"], help="These train.")
        st.metric(
            "Waiting",
            counts["waiting"],
            help="Decide on them with `python -m rag_app feedback review`.",
        )
        st.metric("Rejected", counts["rejected"], help="These never train.")
    if not pairs:
        st.caption("Mark right passages in the chat or on the page Compare, and they stand here.")
        return 0
    st.dataframe(
        [
            {
                "Question": pair.question,
                "Passage": f"{pair.passage.filing} Item {pair.passage.item}",
                "State": pair.state,
                "Found by": f"{asked.model} at {asked.dim}",
                "Id": pair.id,
            }
            for pair in pairs
            for asked in [marks[pair.mark_id].asked]
        ],
        hide_index=True,
        row_height=ROW_PX,
        column_config={
            name: st.column_config.TextColumn(width=width) for name, width in WIDTHS_PX.items()
        },
        alt="Question-passage pairs from the chat, and whether they train",
    )
    return counts["accepted"]


def _start(home: Path, accepted: int, *, busy: bool) -> None:
    """What a run is made of, and the button that begins it."""
    st.subheader("A new run", anchor=False)
    known = {recipe.name: recipe for recipe in recipes()}
    recipe = known[st.selectbox("Recipe", known, index=[*known].index("ours"), key="recipe")]
    data = st.text_input(
        "Data",
        placeholder=f"{recipe.data}, which is fetched from the hub",
        key="data",
        help="A file on this machine (CSV, JSONL, Parquet) or a hub data set, with the columns "
        "question and context, and ticker where companies are held out.",
    )
    upload = st.file_uploader("Or upload the data", ["csv", "jsonl"], key="upload")
    free = _free_name(home, recipe.name)
    name = st.text_input("Name of the new model", free, key=f"name-{free}")
    from_feedback = st.checkbox(
        f"Train on the accepted pairs too ({accepted})",
        accepted > 0,
        key=f"from_feedback-{accepted > 0}",
        disabled=not accepted,
    )
    gated = st.checkbox(
        "Serve it if it is not worse",
        True,
        key="gated",
        help="On held-out questions, at any dimension. Without this it is only put beside the "
        "others, and can be promoted below.",
    )
    with st.expander("Change the recipe"):
        base = st.text_input("Base", placeholder=recipe.base, key="base")
        fields = st.text_area(
            "Fields",
            placeholder="learning_rate=3e-5\nmax_steps=200",
            key="fields",
            help="One FIELD=VALUE a line.",
        )
    if st.button("Start training", type="primary", disabled=busy):
        words = [f"--recipe={recipe.name}", f"{OUT}{name}"]
        try:
            _check_name(name)
            words += _data_words(home, data.strip(), upload)
            words += [f"--base={base.strip()}"] * bool(base.strip())
            words += [f"--set={line.strip()}" for line in fields.splitlines() if line.strip()]
            words += ["--from-feedback"] * from_feedback + ["--no-promote"] * (not gated)
            training_run.start(f"Training {name}", words)
        except RagError as error:
            st.error(written_markdown(str(error)))
        else:
            st.rerun()


def _models(home: Path, *, busy: bool) -> None:
    """The models of the home, the newest first: their card's figures and the gate's verdict."""
    st.subheader("Models", anchor=False)
    served, names = served_model(home), trained_models(home)
    if not names:
        st.caption("None was trained here yet.")
    for name in reversed(names):
        label = written_markdown(name) + (" · served" if name == served else "")
        box = st.expander(label, key=f"model-{name}", on_change="rerun")
        if not box.open:
            continue
        folder = home / "models" / name
        with box:
            st.markdown(answer_markdown(card_table(folder)) or "Its card has no table.")
            if (folder / PICTURE).is_file():
                alt = f"Loss, learning rate and dev score of {name} over its optimizer steps"
                st.image(str(folder / PICTURE), alt=alt)
            st.info(written_markdown(verdict(folder) or "The gate was not asked about it yet."))
            st.button(
                "Promote",
                key=f"promote-{name}",
                on_click=training_run.on_click,
                args=[f"Promoting {name}", ["promote", name]],
                disabled=busy or name == served,
                help="The gate is asked again: it is served only if it is not worse.",
            )


def _free_name(home: Path, recipe: str) -> str:
    number = 1
    while any(
        path.exists()
        for name in [f"{recipe}-{number}"]
        for path in (home / "models" / name, workspace_of(home, name))
    ):
        number += 1
    return f"{recipe}-{number}"


def _check_name(name: str) -> None:
    """What names no folder of its own is refused before the page looks for a run under it."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise TrainingError(
            f"A model cannot be called {name!r}; use letters, digits, dots, dashes and underscores."
        )


def _data_words(home: Path, path: str, upload: UploadedFile | None) -> list[str]:
    """The flag that names the data: an upload, kept under its content's name, or a path."""
    if upload is not None:
        content = upload.getvalue()
        kind = Path(upload.name).suffix.lower()
        file = home.absolute() / UPLOADS / f"{hashlib.sha256(content).hexdigest()[:16]}{kind}"
        write_whole(file, content)
        return [f"--data={file}"]
    local = Path(path).expanduser()
    if path and local.exists():
        return [f"--data={local.absolute()}"]
    return [f"--data={path}"] if path else []


page()
