"""A tiny model is trained from the training page: promoted, another refused, then rolled back."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from browsing import Checks, app, visit
from page_looks import shoot
from tiny_model import build_tiny_model, write_rows

from rag_app.index.served import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIELDS = (
    *("batch_size=8", "evaluations=2", "checkpoint_minutes=0.0", "principal_axes=false"),
    *("packs=0", "epochs=40"),
)
"""Some seconds on an idle machine, so that the page, drawn every two seconds, shows its steps."""
STEP = re.compile(r"Step (\d+) of (\d+)")
LIMIT_S = 400


def promote_refuse_roll_back(home: Path, browser: Browser, checks: Checks, shots: Path) -> None:
    """The story on a home whose served model is a tiny untrained one."""
    material = home.parent / "material"
    material.mkdir()
    build_tiny_model(material).rename(_models(home) / "plain")
    rows = write_rows(material / "rows.csv")
    serve(home, "plain")
    with app(home, OMP_NUM_THREADS="1") as started:
        person = visit(browser, f"{started.url}/training", viewport={"width": 1100, "height": 900})
        page = person.page
        steps = _train(page, rows, "learning_rate=1e-3", shots / "training.png")
        live = len(set(steps)) > 2
        checks("a run shows its steps as they are taken", live, f"steps seen: {steps}")
        verdict = _verdict(page)
        checks("a better model is promoted", "is served from now on" in verdict, verdict)
        served = page.get_by_text("Served now:").inner_text()
        checks("and served", served == "Served now: ours-1", served)
        shoot(page, shots / "training-promoted.png")
        _train(page, rows, "learning_rate=1e-9", shots / "training-second.png")
        verdict = _verdict(page)
        refused = "goes on being served" in verdict and "worse at" in verdict
        checks("a worse one is refused with its reason", refused, verdict)
        page.get_by_role("button", name="Roll back").click()
        page.get_by_text("Served now: plain").wait_for()
        served = page.get_by_text("Served now:").inner_text()
        checks("the promotion is rolled back", served == "Served now: plain", served)
        foreign = person.foreign()
        seen = f"{len(person.asked)} requests, foreign: {foreign or 'none'}"
        checks("training: no request to a foreign host", not foreign, seen)
        checks("training: no traceback", "Traceback" not in started.said(), "none in the log")


def _models(home: Path) -> Path:
    folder = home / "models"
    folder.mkdir(exist_ok=True)
    return folder


def _train(page: Page, rows: Path, rate: str, shot: Path) -> list[int]:
    """Start a run and watch it to its end; the steps that the page showed meanwhile."""
    page.get_by_label("Data", exact=True).fill(str(rows))
    recipe = page.locator("details", has=page.locator("summary", has_text="Change the recipe"))
    if recipe.get_attribute("open") is None:
        recipe.locator("summary").click()
    page.get_by_label("Base", exact=True).fill("plain")
    page.get_by_label("Fields", exact=True).fill("\n".join([*FIELDS, rate]))
    page.get_by_label("Fields", exact=True).press("Control+Enter")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("running for").wait_for()
    steps: list[int] = []
    end = time.monotonic() + LIMIT_S
    while page.get_by_text("running for").count():
        if time.monotonic() > end:
            raise TimeoutError(f"the run has not ended in {LIMIT_S} s; steps seen: {steps}")
        bar = page.get_by_test_id("stProgress")
        found = STEP.search(bar.first.inner_text()) if bar.count() else None
        if found and int(found[1]) not in steps[-1:]:
            steps.append(int(found[1]))
            if int(found[1]) > int(found[2]) // 3 and not shot.exists():
                shoot(page, shot, at=bar.first)
        page.wait_for_timeout(150)
    return steps


def _verdict(page: Page) -> str:
    box = page.get_by_test_id("stAlert").first
    box.wait_for()
    page.wait_for_timeout(1000)
    return page.get_by_test_id("stAlert").first.inner_text()
