"""The evaluation page: reports that `eval report` wrote into the home, with their pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from reports import make_report
from streamlit.testing.v1 import AppTest

from eval.__main__ import main
from eval.report import save_report
from rag_app.ui import pages, state


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home."""
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    state.settings.clear()
    return tmp_path / "home"


def page() -> AppTest:
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=120)
    at.switch_page("evaluation.py").run()
    assert not at.exception
    return at


def write_report(home: Path, name: str) -> Path:
    """What the command writes of two made-up reports."""
    save_report(make_report("minilm", 0.25), home / "base.json")
    save_report(make_report("mine", 0.5), home / "tuned.json")
    out = home / "reports" / name
    assert (
        main(["report", str(home / "base.json"), str(home / "tuned.json"), "--out", str(out)]) == 0
    )
    return out


def test_without_a_report_the_command_is_named(home: Path) -> None:
    assert "python \\-m eval report BASE.json TUNED.json" in page().error[0].value.replace("`", "")


def test_a_report_is_drawn_with_its_pictures(home: Path) -> None:
    out = write_report(home, "first")
    at = page()
    assert at.selectbox[0].options == ["first"]
    said = "\n".join(element.value for element in at.markdown)
    assert "mine" in said and "## What was measured" in said
    named = (out / "report.md").read_text().count("](")
    assert named > 2 and len(at.get("image")) == named
    (out / "report.md").write_bytes(b"\xff\xfe\xff")
    assert "cannot be read" in page().error[0].value
