"""The chat in a real browser: what the issue lists, each a named check.

    python tests/trial/browser_chat.py --out eval/results/browser-chat.md --shots docs/screenshots

The app is started as a user starts it, over the sample filings and one whose cover and text hold
script; Debian's chromium opens it. Without an LLM answers are quotes; then a stand-in on the
loopback answers what ``browser_llm`` says. Run it on a quiet machine: its last part takes times.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from browser_chat_blows import crowd, hostile_answer, hostile_filing, ingest_hostile, killed
from browser_chat_times import first_paint, reruns
from browser_llm import BACKLOG, FALSE, TRUE, KillableLLM
from browsing import (
    ALERT,
    MARKER,
    WIDE,
    App,
    Checks,
    answered,
    app,
    ask,
    chromium,
    new_home,
    pick,
    sources_of,
    unfold,
    visit,
)
from playwright.sync_api import Browser

SUPPORT = "Order backlog was $94.6 million at December 31, 2023"
NARROW = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def main() -> int:
    """Run every part; the exit code is 1 when a check failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="Markdown file for the result")
    parser.add_argument("--shots", type=Path, required=True, help="folder for the screenshots")
    parser.add_argument("--library", type=Path, help="a home with the sample filings, to be copied")
    args = parser.parse_args()
    shots: Path = args.shots
    shots.mkdir(parents=True, exist_ok=True)
    check, llm = Checks(), KillableLLM()

    def record() -> None:
        check.write(args.out, "The chat in a real browser", " ".join(["python", *sys.argv]))

    with tempfile.TemporaryDirectory(prefix="browser-chat-") as name, chromium() as browser:
        home = new_home(Path(name), args.library)
        ingest_hostile(home)
        with app(home) as quotes:
            run(check, [cite, filtered, hostile_filing], browser, quotes, shots)
            whole_log(check, quotes, "quotes")
        llm.start()
        # No question is refused, so that the stand-in is asked each of them.
        with app(home, OPENAI_BASE_URL=llm.url, RAG_REFUSE_BELOW="0") as answers:
            run(check, [badges, reload_and_looks, swap, hostile_answer], browser, answers, shots)
            with check.part("the LLM server is killed"):
                killed(check, browser, answers, llm)
            with check.part("times"):
                first_paint(check, browser, answers)
                reruns(check, browser, answers)
            record()
            run(check, [crowd], browser, answers, shots)
            whole_log(check, answers, "LLM")
        llm.kill()
    record()
    return int(check.failed() > 0)


Part = Callable[[Checks, Browser, App, Path], None]


def run(check: Checks, parts: list[Part], browser: Browser, at: App, shots: Path) -> None:
    """The parts, one after the other; what one leaves open is closed."""
    for part in parts:
        with check.part(part.__name__.replace("_", " ")):
            part(check, browser, at, shots)
        for context in browser.contexts:
            context.close()


def whole_log(check: Checks, at: App, name: str) -> None:
    """No traceback stands in it; else what each of them ends with, and where."""
    said = at.said()
    ends = re.findall(r"(File .*)\n.*\n(?:[ ~^]*\n)?(\w[\w.]*: .*|\w+(?:Error|Closed).*)", said)
    told = sorted(set(ends)) or f"{len(said.splitlines())} lines"
    check(f"no traceback in the server's log ({name})", "Traceback" not in said, told)


def cite(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    seen = visit(browser, at.url, **WIDE)
    page = seen.page
    text = ask(page, BACKLOG, 1)
    check("a quote answers, with its citation", SUPPORT in text and "[1]" in text, text[60:190])
    page.locator(MARKER).first.click()
    drawer = page.get_by_role("dialog")
    lit = drawer.locator(".stMarkdownColoredBackground")
    lit.first.wait_for()
    check(
        "a click on the marker opens the passage",
        "Larkspur" in drawer.inner_text(),
        drawer.locator("strong").first.inner_text(),
    )
    check(
        "the supporting sentence alone is highlighted",
        lit.count() == 1 and lit.first.inner_text().startswith(SUPPORT),
        lit.first.inner_text(),
    )
    page.wait_for_timeout(800)  # the drawer slides in
    page.screenshot(path=shots / "chat-citation.png")
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    page.wait_for_timeout(300)
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    check("Esc closes it and focus is back on the marker", focused == "#passage-1-1", focused)
    page.keyboard.press("Enter")
    drawer.wait_for()
    check("Enter on the marker opens it again", drawer.is_visible(), "the drawer")
    check("no foreign request (quotes)", not seen.foreign(), f"{len(seen.asked)} requests")


def filtered(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    page = visit(browser, at.url, **WIDE).page
    unfold(page, "Company")
    page.get_by_role("option").filter(has_text="TSLT").click()
    page.keyboard.press("Escape")
    text = ask(page, "What were net sales and why did they change?", 1)
    check("a chosen company is what is asked", "Asked of TSLT" in text, text.split("\n\n")[1])
    sources = sources_of(page)
    foreign = re.findall(r"Larkspur|Brightwater|BRWG|LKSP", sources)
    check("every source is of that company", not foreign, re.findall(r"\] (.+)", sources)[:3])


def badges(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    seen = visit(browser, at.url, **WIDE)
    text = ask(seen.page, BACKLOG, 1)
    said = f"Backlog was {TRUE} at December 31, 2023, against {FALSE} a year before"
    check("two amounts in a sentence are exact", said in text, said if said in text else text)
    check("no LaTeX", seen.page.locator(".katex").count() == 0, "no .katex element")
    true_badge = re.search(rf"{re.escape(TRUE)}: (in passage|equals) .*", text)
    check("the true figure wears its badge", bool(true_badge), true_badge and true_badge[0])
    warning = seen.page.locator(ALERT).inner_text()
    check(
        "the planted one is contradicted, and what stands there is named",
        warning.startswith(f"Contradicted: {FALSE}") and "$103.9 million" in warning,
        warning,
    )
    seen.page.screenshot(path=shots / "chat-badges.png")


def reload_and_looks(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    page = visit(browser, at.url, **WIDE).page
    before = ask(page, BACKLOG, 1)
    page.wait_for_url("**conversation=**")
    page.reload()
    after = answered(page, 1)
    check(
        "the conversation survives a reload",
        FALSE in after and before == after,
        "the same text, badges and footer"
        if before == after
        else f"before: {before} after: {after}",
    )
    for name, options in {"dark": {**WIDE, "color_scheme": "dark"}, "narrow": NARROW}.items():
        other = visit(browser, page.url, **options).page
        answered(other, 1)
        other.screenshot(path=shots / f"chat-{name}.png")
        width = other.evaluate("document.documentElement.scrollWidth")
        check(
            f"{name}: nothing is wider than the window",
            width <= options["viewport"]["width"],
            f"{width} px",
        )
        if name == "dark":
            colour = other.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).color")
            check(
                "dark: letters are light",
                min(map(int, re.findall(r"\d+", colour)[:3])) > 180,
                colour,
            )
    other.get_by_role("button", name="Show passage 1").or_(other.locator(MARKER)).first.click()
    drawer = other.get_by_role("dialog")
    drawer.get_by_text("Cited for").wait_for()
    other.wait_for_timeout(800)
    box = drawer.bounding_box()
    check("narrow: the drawer fits", bool(box) and box["x"] >= 0 and box["width"] <= 390, box)


def swap(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    page = visit(browser, at.url, **WIDE).page
    first = ask(page, BACKLOG, 1)
    page.get_by_test_id("stChatInputTextArea").fill("Say slowly what Larkspur's 2023 backlog was.")
    page.keyboard.press("Enter")
    answer = page.get_by_test_id("stChatMessage").nth(3)
    answer.get_by_text("Backlog was told in").wait_for()
    pick(page, "Dimension", "64")
    text = answered(page, 2)
    dims = [re.findall(r"at (\d+) dimensions", each) for each in (first, text)]
    check(
        "a dimension chosen while an answer streams is what it is answered at",
        dims == [["384"], ["64"]] and TRUE in text,
        dims,
    )
    errors = page.locator(f"{ALERT} [data-testid=stAlertContentError]").count()
    check("and nothing fails", errors == 0, f"{errors} errors")


if __name__ == "__main__":
    sys.exit(main())
