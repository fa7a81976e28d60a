"""The pages beside the chat, as a person uses them, in Debian's chromium.

    python tests/trial/browser_pages.py [--library HOME] [--shots FOLDER] [--out FILE.md]

HOME is a library of the sample filings and is copied; without it they are ingested. The reports of
the evaluation page are drawn from HOME/reports, or from those under eval/results.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from browser_training import promote_refuse_roll_back
from browsing import App, Checks, Visit, app, ask, chromium, new_home, unfold, visit
from page_looks import looks, shoot
from tiny import write_filing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TITLE = "The pages in a real browser"
PUMPS = "What was the revenue of Quillfeather Pumps in 2023?"
BACKLOG = "What was Larkspur's order backlog at the end of 2023?"
SEGMENTS = "How did net sales of Larkspur's Sensing Products segment change in 2024?"


def main() -> int:
    """Run every part, write the table; the exit code is 1 when a check failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, help="a home with the sample filings")
    parser.add_argument("--shots", type=Path, default=Path(".work/browser-pages"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    args.shots.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch, chromium() as browser:
        home = new_home(Path(scratch), args.library)
        with app(home) as started:
            people = _people(started, browser, checks, args.shots)
            with checks.part("screenshots"):
                people += looks(started, browser, checks, args.shots)
            _nothing_leaks(checks, "pages", people, started)
        with checks.part("training"):
            promote_refuse_roll_back(home, browser, checks, args.shots)
    if args.out:
        checks.write(args.out, TITLE, "python tests/trial/browser_pages.py")
    print(f"{checks.failed()} of {len(checks.rows)} failed")
    return int(checks.failed() > 0)


def _people(started: App, browser: Browser, checks: Checks, shots: Path) -> list[Visit]:
    """The stories, one person each."""
    stories = {
        "filings": lambda page: _filings(page, started, checks, shots),
        "upload limit": lambda page: _limit(page, started, checks),
        "feedback": lambda page: _feedback(page, checks),
        "compare": lambda page: _compare(page, checks, shots),
        "evaluation": lambda page: _evaluation(page, checks),
    }
    people = []
    for name, story in stories.items():
        person = visit(browser, started.url, viewport={"width": 1100, "height": 900})
        people.append(person)
        with checks.part(name):
            story(person.page)
    return people


def go(page: Page, title: str) -> None:
    """To a page by its link at the top; the session stays."""
    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_role("heading", level=2, name=title).first.wait_for()


def _filings(page: Page, started: App, checks: Checks, shots: Path) -> None:
    """Add a filing, ask about it, take it out, ask again: one session, one server."""
    before = ask(page, PUMPS, 1)
    checks("the chat does not know a filing that is not there", "$41 million" not in before, before)
    go(page, "Filings")
    path = write_filing(started.home.parent / "quillfeather.htm")
    seen = _upload(page, path)
    checks("an upload shows how far it is", bool(seen), " → ".join(seen) or "no progress drawn")
    done = page.get_by_test_id("stAlertContentSuccess").first.inner_text()
    checks("and says when it is done", bool(done), done)
    row = page.get_by_text("7 filings of 4 companies").inner_text()
    checks("the coverage counts it", True, row)
    shoot(page, shots / "filings.png")
    go(page, "Chat")
    answer = ask(page, PUMPS, 2)
    checks("the chat answers from it, without a restart", "$41 million" in answer, answer)
    go(page, "Filings")
    unfold(page, "Filing")
    page.get_by_role("option", name="Quillfeather").click()
    page.get_by_text("key Quillfeather").wait_for()  # all that follows is of the one chosen
    page.get_by_role("button", name="Delete this filing").click()
    page.get_by_role("button", name="Yes, delete it").click()
    page.get_by_text("6 filings of 3 companies").wait_for()
    told = page.get_by_test_id("stAlertContentSuccess").first.inner_text()
    checks("it is deleted", bool(told), told)
    go(page, "Chat")
    answer = ask(page, PUMPS, 3)
    page.get_by_test_id("stChatMessage").nth(5).locator("summary", has_text="Sources").click()
    page.wait_for_timeout(1500)
    sources = page.get_by_test_id("stChatMessage").nth(5).inner_text()
    gone = "$41 million" not in answer and "Quillfeather Pumps, Inc. 10-K" not in sources
    checks("the chat no longer cites it", gone, answer)


def _upload(page: Page, path: Path) -> list[str]:
    """Send a file by the form; what the progress bar said until the job ended."""
    page.locator("summary", has_text="Add filings").click()
    page.get_by_role("tab", name="Upload files").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_test_id("stFileChip").wait_for()
    page.get_by_role("button", name="Add", exact=True).click()
    return _progress(page)


def _progress(page: Page, seconds: float = 240) -> list[str]:
    """Each text of the progress bar until the job has ended."""
    seen: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        texts = page.get_by_test_id("stProgress").all_inner_texts()
        if texts and texts[0].strip() and texts[0] not in seen[-1:]:
            seen.append(texts[0])
        if not texts and page.get_by_text(", took ").count():
            break
        page.wait_for_timeout(50)
    return [" ".join(text.split()) for text in seen]


def _limit(page: Page, started: App, checks: Checks) -> None:
    """A file over the limit never leaves the browser."""
    go(page, "Filings")
    page.locator("summary", has_text="Add filings").click()
    page.get_by_role("tab", name="Upload files").click()
    path = started.home.parent / "too-large.htm"
    with path.open("wb") as file:
        file.truncate(51_000_000)  # sparse: it takes no room
    page.locator("input[type=file]").set_input_files(path)
    chip = page.get_by_test_id("stFileUploader").get_by_role("alert")
    chip.wait_for(state="attached")
    told = chip.text_content() or ""
    checks("a file of 51 MB is refused by the browser", "50.0MB" in told, told)
    page.get_by_role("button", name="Add", exact=True).click()
    sentence = page.get_by_test_id("stAlert").filter(has_text="at most 50 MB")
    sentence.wait_for()
    checks("and the page says what to do in one sentence", True, sentence.inner_text())
    kept = list((started.home / "uploads").rglob("*too-large*"))
    checks("and nothing of it is kept", not kept, f"{len(kept)} files")


def _feedback(page: Page, checks: Checks) -> None:
    """A thumb and a right passage in the chat are pairs on the training page."""
    ask(page, BACKLOG, 1)
    ask(page, SEGMENTS, 2)
    page.get_by_test_id("stChatMessage").nth(3).get_by_test_id("stFeedback").locator(
        "button"
    ).first.click()
    page.wait_for_timeout(1500)
    answer = page.get_by_test_id("stChatMessage").nth(1)
    answer.get_by_role("button", name="Correct it").click()
    tick = page.get_by_test_id("stPopoverBody").get_by_test_id("stCheckbox").first
    passage = tick.inner_text()
    tick.locator("label").click()
    page.wait_for_timeout(1500)
    page.keyboard.press("Escape")
    go(page, "Training")
    checks("a right passage is an accepted pair", _metric(page, "Accepted") == "1", passage)
    page.get_by_test_id("stDataFrame").wait_for()
    page.wait_for_timeout(3000)  # what a screen reader gets of the table comes after the drawing
    cells = " · ".join(page.locator("[role=gridcell]").all_text_contents())
    checks("and stands in the table with its question", BACKLOG in cells, cells)
    seen = f"accepted {_metric(page, 'Accepted')}, waiting {_metric(page, 'Waiting')}"
    checks("a thumb makes pairs that wait for a review", _metric(page, "Waiting") != "0", seen)


def _metric(page: Page, label: str) -> str:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    metric.wait_for()
    return metric.get_by_test_id("stMetricValue").inner_text().strip()


def _compare(page: Page, checks: Checks, shots: Path) -> None:
    """One question, two sides, the moves between, and a mark."""
    go(page, "Compare")
    page.get_by_role("textbox", name="Question").fill(SEGMENTS)
    page.keyboard.press("Enter")
    page.get_by_text("passages on both sides").wait_for()
    heads = page.get_by_role("heading", level=3).filter(has_text="dimensions")
    heads.nth(1).wait_for()
    sides = heads.all_inner_texts()
    different = len(set(sides)) == 2
    checks("two sides answer one question", different, " against ".join(sides))
    checks("rank moves are told", True, page.get_by_text("passages on both sides").inner_text())
    drawn = page.get_by_test_id("stVegaLiteChart").first
    drawn.locator("canvas, svg").first.wait_for()
    badges = page.get_by_test_id("stMarkdown").locator("span.stMarkdownBadge").all_inner_texts()
    moved = [text for text in badges if text[:1] in "↑↓" or text in ("new", "gone")]
    checks("and drawn", bool(moved), f"badges {' '.join(badges)}")
    page.wait_for_timeout(1500)
    shoot(page, shots / "compare.png")
    tick = page.get_by_test_id("stCheckbox").filter(has_text="is the right one").first
    tick.locator("label").click()
    page.wait_for_timeout(1500)
    go(page, "Training")
    accepted = _metric(page, "Accepted")
    checks("the passage marked there is a pair too", accepted == "2", f"accepted {accepted}")


def _evaluation(page: Page, checks: Checks) -> None:
    """The report with its tables and pictures, all of them loaded."""
    go(page, "Evaluation")
    page.get_by_role("heading", name="All scores").wait_for()  # the report's last part
    page.locator("table").last.wait_for()
    page.wait_for_function("[...document.images].every(i => i.complete && i.naturalWidth)")
    widths: list[int] = page.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
    loaded = bool(widths) and all(widths)
    checks("a report's pictures are shown", loaded, f"{len(widths)} pictures, widths {widths}")
    tables, heads = page.locator("table").count(), page.locator("h2, h3").all_inner_texts()
    checks("and its tables", tables > 0, f"{tables} tables under {'; '.join(heads)}")


def _nothing_leaks(checks: Checks, where: str, people: list[Visit], started: App) -> None:
    asked = sum(len(person.asked) for person in people)
    foreign: list[Any] = [url for person in people for url in person.foreign()]
    dialogs = [text for person in people for text in person.dialogs]
    seen = f"{asked} requests, foreign: {foreign or 'none'}"
    checks(f"{where}: no request to a foreign host", not foreign, seen)
    checks(f"{where}: no dialog", not dialogs, dialogs or "none")
    checks(f"{where}: no traceback in the server's log", "Traceback" not in started.said(), "none")


if __name__ == "__main__":
    sys.exit(main())
