"""The training page with real runs of a tiny model: started, stopped, resumed, judged, served."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from test_feedback import asked

from rag_app.chat.feedback import FeedbackStore
from rag_app.index.served import serve, served_model
from rag_app.training import PROGRESS_FILE, Progress, read_progress, recipes, workspace_of
from rag_app.ui import pages, state
from rag_app.ui.jobs import Job, jobs
from rag_app.ui.markdown import ZERO_WIDTH_SPACE
from rag_app.ui.training_run import progress_says

FIELDS = (
    *("batch_size=8", "evaluations=2", "checkpoint_minutes=0.0", "principal_axes=false"),
    *("packs=0", "epochs=1"),
)
"""40 pairs: 5 steps, each followed by a checkpoint."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no model in the settings: what is promoted is served."""
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("RAG_MODEL")
    state.settings.clear()
    return tmp_path / "home"


@pytest.fixture
def plain(home: Path, material: Path) -> Path:
    """A home that serves the tiny untrained model."""
    shutil.copytree(material / "model", home / "models" / "plain")
    serve(home, "plain")
    return home


def page() -> AppTest:
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=120)
    at.switch_page("training.py").run()
    assert not at.exception
    return at


def button(at: AppTest, label: str) -> AppTest:
    next(each for each in at.button if each.label == label).click().run()
    assert not at.exception
    return at


def begin(at: AppTest, data: Path, *fields: str) -> AppTest:
    """Press start with these fields of the recipe changed."""
    at.text_input(key="data").set_value(str(data))
    at.text_input(key="base").set_value("plain")
    at.text_area(key="fields").set_value("\n".join([*FIELDS, *fields]))
    return button(at, "Start training")


def until(met: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def newest(home: Path) -> Job:
    return jobs(home, "finetune")[0]


def ended(home: Path) -> Job:
    until(lambda: not newest(home).running)
    return newest(home)


def texts(at: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "error", "success")
    shown = "\n".join(str(each.value) for kind in kinds for each in getattr(at, kind))
    # Without the escapes, and the blanks of no width that keep a text from being a link.
    return shown.replace("\\", "").replace(ZERO_WIDTH_SPACE, "")


def test_a_run_is_promoted_refused_and_rolled_back_from_the_page(
    plain: Path, material: Path
) -> None:
    """One story: a good run is served; an idle one is stopped, goes on, and is refused."""
    at = begin(page(), material / "rows.csv", "learning_rate=1e-3")
    assert next(each for each in at.button if each.label == "Start training").disabled
    assert "Training ours-1" in texts(at) and "running for" in texts(at)
    assert "is going on: [see how far it is](#last-run)" in texts(at)
    again = page()  # a reload, and another session, see the same run
    assert "running for" in texts(again)
    assert [each.label for each in again.button if each.label == "Stop"]

    assert ended(plain).code == 0, newest(plain).log()
    at.run()
    assert "ours-1 is served from now on: on 10 held-out questions it is not worse" in texts(at)
    assert "128 dimensions: ndcg@10" in texts(at)
    assert served_model(plain) == state.settings().model == "ours-1"
    at.session_state["model-ours-1"] = True
    at.run()
    assert "| 64 |" in texts(at) and at.get("image"), "its card's table, its curves"
    assert next(each for each in at.button if each.label == "Promote").disabled

    begin(at, material / "rows.csv", "learning_rate=1e-9", "epochs=12")
    until(lambda: (seen := read_progress(plain, "ours-2")) and len(seen.losses) > 2)
    at.run()
    assert "of 60" in at.get("progress")[0].proto.text
    assert "pairs/s" in at.get("progress")[0].proto.text
    assert at.get("vega_lite_chart")
    button(at, "Stop")
    assert ended(plain).code == 130, newest(plain).log()
    at.run()
    assert "Training ours-2 was stopped." in texts(at)
    stopped_at = read_progress(plain, "ours-2")
    assert stopped_at and stopped_at.step < 60
    # A user may cut a run short when it goes on; the page repeats what it began with.
    button(at, "Resume")
    assert newest(plain).argv[-1] == "--resume"
    assert ended(plain).code == 0, newest(plain).log()
    assert any(line.startswith("Going on from step") for line in newest(plain).log())
    at.run()
    assert "ours-1 goes on being served" in texts(at) and "worse at" in texts(at)
    assert served_model(plain) == "ours-1"

    button(at, "Roll back")
    assert ended(plain).code == 0, newest(plain).log()
    at.run()
    assert served_model(plain) == state.settings().model == "plain"
    assert "Served now: **plain**" in texts(at)


def test_the_recipes_are_those_that_train_a_retriever(home: Path) -> None:
    assert [recipe.name for recipe in recipes()] == ["notebook", "ours"]
    at = page()
    assert at.selectbox(key="recipe").value == "ours"
    assert at.button[0].label == "Roll back" and at.button[0].disabled


def test_the_pairs_are_counted_and_shown(home: Path) -> None:
    store = FeedbackStore(home)
    right = asked("right")
    store.mark(right, "right-passage", right.passages[0].chunk_id)
    store.mark(asked("thumb", cited=(1, 2)), "up")
    at = page()
    assert [(each.label, each.value) for each in at.metric] == [
        ("Accepted", "1"),
        ("Waiting", "2"),
        ("Rejected", "0"),
    ]
    assert [each.value for each in at.subheader] == ["Pairs collected", "A new run", "Models"]
    table = at.dataframe[0].value
    passage = right.passages[0]
    assert table["Passage"].tolist()[0] == f"{passage.filing} Item {passage.item}"
    assert table["State"].tolist() == ["accepted", "waiting", "waiting"]
    assert set(table["Found by"]) == {"minilm at 64"}
    assert at.checkbox[0].label == "Train on the accepted pairs too (1)" and at.checkbox[0].value


def test_what_the_page_asks_for_is_what_the_command_gets(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are uploaded, the pairs are added, the gate is left out; a wrong name starts
    nothing."""
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        "rag_app.ui.jobs.start",
        lambda home, title, argv, environment, program: sent.append((program, list(argv))),
    )
    right = asked("right")
    FeedbackStore(home).mark(right, "right-passage", right.passages[0].chunk_id)
    at = page()
    at.file_uploader[0].set_value([("my rows.csv", b"question,context\n", "text/csv")])
    at.text_input(key="name-ours-1").set_value("../out")
    at.checkbox(key="gated").uncheck()
    button(at, "Start training")
    assert "'../out'" in texts(at) and not sent
    at.text_input(key="name-ours-1").set_value("mine")
    at.text_area(key="fields").set_value("scale=30\n\n--push-to-hub=a/b")
    button(at, "Start training")
    ((program, words),) = sent
    assert program == "finetune"
    (file,) = [word.removeprefix("--data=") for word in words if word.startswith("--data=")]
    assert Path(file).read_bytes() == b"question,context\n"
    assert Path(file).parent == home / "training-data"
    words.remove(f"--data={file}")
    assert words == [
        *("--recipe=ours", "--out=mine", "--set=scale=30", "--set=--push-to-hub=a/b"),
        *("--from-feedback", "--no-promote"),
    ]


def test_a_run_that_cannot_begin_is_one_sentence_and_a_killed_one_is_said(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "wrong.csv").write_text("prompt,context\nWho?,Acme.\n")
    at = begin(page(), tmp_path / "wrong.csv")
    assert ended(home).code == 2
    at.run()
    assert "lacks question" in at.error[0].value
    parts = ["Pairs collected", "A new run", "The last run", "Models"]
    assert [each.value for each in at.subheader] == parts
    assert "Traceback" not in texts(at)
    assert not [each for each in at.button if each.label == "Resume"]
    record = newest(home)
    begin(at, tmp_path / "wrong.csv")
    os.kill(int((newest(home).folder / "lock").read_text()), signal.SIGKILL)
    assert ended(home).code is None and newest(home) != record
    at.run()
    assert "was ended from outside" in at.error[0].value


def test_progress_of_a_resumed_run_has_each_step_once_and_skips_a_cut_line(home: Path) -> None:
    folder = workspace_of(home, "mine") / "scratch" / "seed-42"
    folder.mkdir(parents=True)
    fields = {"seed": 42, "of": 9, "lr": 0.1, "pairs_per_s": 5.0, "left_s": 1.0}
    steps = [*((1, 3.0), (2, 2.0), (3, 1.9)), *((2, 2.5),)]
    lines = [json.dumps({**fields, "step": step, "loss": loss}) for step, loss in steps]
    lines.insert(1, json.dumps({"seed": 42, "step": 1, "dev": 0.5}))
    (folder / PROGRESS_FILE).write_text("\n".join([*lines, '{"seed": 42, "st']))
    found = read_progress(home, "mine")
    assert found is not None
    assert dataclasses.asdict(found) == {
        **{name: fields[name] for name in ("seed", "of", "pairs_per_s", "left_s")},
        "step": 2,
        "losses": {1: 3.0, 2: 2.5},
        "rates": {1: 0.1, 2: 0.1},
        "dev": {1: 0.5},
    }
    assert read_progress(home, "other") is None


def test_a_single_score_is_a_dot_within_its_axes() -> None:
    def drawn() -> None:
        import streamlit as st

        from rag_app.ui.curves import draw_curve

        draw_curve(st.container(), "Dev nDCG@10", {20: 0.71}, 60)

    at = AppTest.from_function(drawn, default_timeout=120).run()
    assert not at.exception
    spec = json.loads(at.get("vega_lite_chart")[0].proto.spec)
    assert spec["mark"]["point"]
    low, high = spec["encoding"]["y"]["scale"]["domain"]
    assert 0.6 < low < 0.71 < high < 0.8
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 60]


def test_the_first_steps_have_no_speed() -> None:
    made = Progress(2, 60, 42, 0.4, 900.0)
    assert progress_says(made, running=True) == "Step 2 of 60"
    made = dataclasses.replace(made, step=3, pairs_per_s=1.36)
    assert progress_says(made, running=True) == "Step 3 of 60 · 1.4 pairs/s · about 15 min left"
    made = dataclasses.replace(made, step=60, pairs_per_s=12.2)
    assert progress_says(made, running=True) == "Step 60 of 60 · 12 pairs/s"
