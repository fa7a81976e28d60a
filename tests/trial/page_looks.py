"""Each page on a telephone and in the dark: a picture, nothing wider than the screen, no trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsing import App, Checks, Visit, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PAGES = {"chat": "", "filings": "filings", "compare": "compare"}
PAGES |= {"evaluation": "evaluation", "training": "training"}
LOOKS: dict[str, dict[str, Any]] = {
    "narrow": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"},
}
QUESTION = "How did net sales of Larkspur's Sensing Products segment change in 2024?"
# Visible elements that reach past the right edge of the screen, but for what scrolls by itself.
TOO_WIDE = """() => {
  const scrolls = e => e && (/(auto|scroll)/.test(getComputedStyle(e).overflowX)
    && e.tagName !== 'MAIN' || scrolls(e.parentElement));
  return [...document.querySelectorAll('main *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 1 && !scrolls(e.parentElement);
  }).map(e => (e.dataset.testid || e.tagName) + ' ' + (e.textContent || '').slice(0, 30));
}"""


def looks(started: App, browser: Browser, checks: Checks, shots: Path) -> list[Visit]:
    """Visit every page in every look; returns the visits."""
    visits = []
    for look, options in LOOKS.items():
        for name, path in PAGES.items():
            seen = visit(browser, f"{started.url}/{path}", **options)
            visits.append(seen)
            with checks.part(f"{name}, {look}"):
                _look(seen.page, name, f"{name}, {look}", checks, shots / f"{name}-{look}.png")
            seen.page.close()
    return visits


def _look(page: Page, name: str, what: str, checks: Checks, out: Path) -> None:
    page.locator("h2").first.wait_for()
    if name == "compare":
        page.get_by_role("textbox", name="Question").fill(QUESTION)
        page.keyboard.press("Enter")
        page.get_by_text("passages on both sides").wait_for()
    _settle(page)
    wide: list[str] = page.evaluate(TOO_WIDE)
    text = page.locator("body").inner_text()
    fine = not wide and "Traceback" not in text and "failed inside" not in text
    checks(f"{what}: within the screen, no traceback", fine, wide[:5] or f"{len(text)} characters")
    shoot(page, out)


def _settle(page: Page) -> None:
    """Wait until nothing on the page is a grey bar that stands for what comes."""
    page.wait_for_timeout(1500)
    page.wait_for_function(
        "![...document.querySelectorAll('[data-testid=stSkeleton]')].some(e => e.offsetParent)"
    )


def shoot(page: Page, out: Path, at: Locator | None = None) -> None:
    """A picture of the page's beginning, or of the part ``at``; nothing of the pointer is in it."""
    _settle(page)
    page.mouse.move(0, 400)
    page.locator("main").evaluate("main => main.scrollTo(0, 0)")
    if at is not None:
        at.evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(600)
    page.screenshot(path=out)
