"""Uploads whose reading cannot be started are not kept; those that wait for theirs are."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass

import pytest
import streamlit as st

from rag_app.errors import JobError
from rag_app.settings import load_settings
from rag_app.ui import adding, state
from rag_app.ui.jobs import JOBS, LOCK, RECORD
from rag_app.uploads import keep_upload


@dataclass(frozen=True)
class File:
    """As the browser sends one."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def getvalue(self) -> bytes:
        return self.data


def test_an_upload_that_cannot_be_read_now_is_not_kept() -> None:
    """Another session's job begins between the drawing of the form and its sending."""
    settings = load_settings()
    state.settings.clear()
    st.session_state["upload-turn"] = 0
    waiting, new = File("w.html", b"waits to be read"), File("n.html", b"new")
    job = settings.home / JOBS / "20260101T000000.000000"
    job.mkdir(parents=True)
    argv = ["ingest", str(keep_upload(settings.home, waiting.name, waiting.data).resolve())]
    record = {"title": "Add", "program": "rag_app", "began": "2026-01-01T00:00:00+00:00"}
    (job / RECORD).write_text(json.dumps(record | {"argv": argv}))
    flags = {"year": "", "period-end": ""}
    with (job / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(JobError, match="is still running"):
            adding._upload(settings, [waiting, new], flags, 1)
    kept = [path for path in (settings.home / "uploads").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["w.html"]
