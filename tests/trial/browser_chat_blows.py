"""The chat under blows: hostile filings and answers, twenty sessions at once, a killed server."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from browser_llm import TRUE, VISITORS, KillableLLM
from browsing import (
    ALERT,
    MARKER,
    WIDE,
    App,
    Checks,
    Visit,
    answered,
    ask,
    ingest,
    sources_of,
    unfold,
    visit,
)
from playwright.sync_api import Browser
from tiny import write_filing

SCRIPT = "<script>alert('title')</script><img src=x onerror=alert(1)>"
ESCAPED = SCRIPT.replace("<", "&lt;").replace(">", "&gt;")
COMPANY = f"<ix:nonNumeric name='dei:EntityRegistrantName'>Quill {ESCAPED} Inc.</ix:nonNumeric>"
PRODUCT = f"{ESCAPED} [pumps](https://evil.example/p) ![](https://evil.example/i.png)"
DANGER = "script, iframe, object, embed, svg[onload], [onclick], [onerror], img"
CROWD_WAIT_MS = 300_000


def ingest_hostile(home: Path) -> None:
    """Put a filing into a home whose company and text hold script, links and images."""
    path = home.parent / "hostile.html"
    ingest(home, write_filing(path, company=COMPANY, product=PRODUCT))


def harmless(check: Checks, name: str, seen: Visit) -> None:
    """Nothing of a payload became an element, a live link, a dialog or a request."""
    shown = seen.page.get_by_test_id("stApp")
    found = [
        shown.locator(f"[data-testid=stChatMessage] :is({DANGER})").count(),
        shown.locator(f"[role=dialog] :is({DANGER})").count(),
        shown.locator("a[href*=evil], a[href^=javascript], a[href^=data]").count(),
    ]
    check(f"{name}: no element or link of it lives", not any(found), found)
    check(f"{name}: no dialog", not seen.dialogs, seen.dialogs)
    check(f"{name}: no foreign request", not seen.foreign(), seen.foreign() or len(seen.asked))


def hostile_filing(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    seen = visit(browser, at.url, **WIDE)
    page = seen.page
    unfold(page, "Company")
    option = page.get_by_role("option").filter(has_text="Quill")
    check(
        "script in a title is text in the filter",
        SCRIPT in option.inner_text(),
        option.inner_text(),
    )
    option.click()
    page.keyboard.press("Escape")
    ask(page, "What does the company make and sell in nine states?", 1)
    sources = sources_of(page).replace("\u200b", "")
    check(
        "script in a filing's text is shown as text",
        "onerror=alert(1)>" in sources,
        sources[sources.find("Inc. makes") :][:160],
    )
    page.locator(MARKER).first.click()
    page.get_by_role("dialog").get_by_text("Cited for").wait_for()
    page.wait_for_timeout(1000)
    harmless(check, "a hostile filing", seen)


def hostile_answer(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    seen = visit(browser, at.url, **WIDE)
    text = ask(seen.page, "What is Larkspur's payload?", 1).replace("\u200b", "")
    check(
        "payloads of an answer are shown as text",
        "https://evil.example/c.png" in text and "<script>alert(2)</script>" in text,
        text[80:200],
    )
    seen.page.reload()
    answered(seen.page, 1)
    seen.page.wait_for_timeout(1500)
    harmless(check, "a hostile answer", seen)


def crowd(check: Checks, browser: Browser, at: App, shots: Path) -> None:
    companies = [("Larkspur", "LKSP"), ("Brightwater", "BRWG"), ("Tessaline", "TSLT")]
    visits = [visit(browser, at.url) for _ in range(VISITORS)]
    for each in visits:
        each.page.set_default_timeout(CROWD_WAIT_MS)
    numbers = range(3001, 3001 + VISITORS)
    for number, each in zip(numbers, visits, strict=True):
        each.page.get_by_test_id("stChatInputTextArea").fill(
            f"Visitor {number} asks about {companies[number % 3][0]}: what was the 2023 backlog?"
        )
    for each in visits:
        each.page.keyboard.press("Enter")
    texts = [answered(each.page, 1) for each in visits]
    whole = sum(f"{VISITORS} were answered at once" in text for text in texts)
    check(f"{VISITORS} sessions are answered at once", whole == VISITORS, f"{whole} of {VISITORS}")
    for when in ("asked", "reloaded"):
        if when == "reloaded":
            for each in visits:
                each.page.reload()
            texts = [answered(each.page, 1) for each in visits]
        pages = [each.page.get_by_test_id("stMainBlockContainer").inner_text() for each in visits]
        own = sum(
            set(re.findall(r"\b30\d\d\b", shown)) == {str(number)}
            and f"Asked of {companies[number % 3][1]}" in shown
            and f"${number} million [1]" in shown
            for number, shown in zip(numbers, pages, strict=True)
        )
        check(
            f"each holds its own question, company and answer, no other's ({when})",
            own == VISITORS,
            f"{own} of {VISITORS}",
        )


def killed(check: Checks, browser: Browser, at: App, llm: KillableLLM) -> None:
    page = visit(browser, at.url, **WIDE).page
    page.get_by_test_id("stChatInputTextArea").fill("Say slowly what Larkspur's 2023 backlog was.")
    page.keyboard.press("Enter")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    answer.get_by_text("Backlog was told in").wait_for()
    llm.kill()
    error = answer.locator(ALERT)
    error.wait_for()
    told = error.inner_text()
    check(
        "a server killed in the middle of an answer is one sentence",
        "cannot be reached or broke off" in told and "Traceback" not in answer.inner_text(),
        told,
    )
    page.get_by_role("button", name="Ask again").click()
    answer = page.get_by_test_id("stChatMessage").nth(3)
    answer.locator(ALERT).wait_for()
    check(
        "asked again while it is dead: the same sentence",
        "cannot be reached" in answer.locator(ALERT).inner_text(),
        "one sentence",
    )
    sidebar = page.get_by_test_id("stSidebar")
    llm.start()
    sidebar.get_by_role("button", name="Retry").click()
    sidebar.get_by_role("button", name="Retry").wait_for(state="detached")
    check("the sidebar says so, and Retry finds the server again", True, "the line is gone")
    page.get_by_role("button", name="Ask again").click()
    text = answered(page, 3)
    check("asked again, the question is answered", TRUE in text, text[-120:])
