"""How long the chat page takes: its first paint, and a rerun with 2 and with 100 messages."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace

from browser_llm import BACKLOG
from browsing import App, Checks, ask, settled, visit
from playwright.sync_api import Browser, Page

from rag_app.chat.conversations import ConversationStore, new_id
from rag_app.ui.conversation import RECENT

PAINTS, RERUNS = 5, 15
MOST_S, MOST_TIMES = 2.0, 1.5
MANY, FEW = 100, 2
QUIET, QUIET_WAIT_S = 1.5, 90.0
"""A load under which a moment counts as quiet, and how long one is waited for."""
RERUN_MS = """
async (box) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const ran = (state) => new Promise((resolve) => {
    const seen = () => app.dataset.testScriptState === state;
    const watch = new MutationObserver(() => { if (seen()) { watch.disconnect(); resolve(); } });
    if (seen()) return resolve();
    watch.observe(app, { attributes: true });
  });
  const began = performance.now();
  box.click();
  await ran("running");
  await ran("notRunning");
  return performance.now() - began;
}
"""
"""From a click on a checkbox to the end of the rerun, drawn, in the browser's own clock."""


def first_paint(check: Checks, browser: Browser, at: App) -> None:
    """From the navigation to the header and the chat's input; the browser has its cache."""
    page = visit(browser, at.url).page
    _painted(page)
    load = _quiet()
    seconds = []
    for _ in range(PAINTS):
        began = time.perf_counter()
        page.goto(at.url)
        _painted(page)
        seconds.append(time.perf_counter() - began)
    middle = statistics.median(seconds)
    told = ", ".join(f"{each:.2f}" for each in seconds)
    check(
        f"first paint under {MOST_S:g} s",
        middle < MOST_S,
        f"median {middle:.2f} s of {told}; load {load:.1f} on {os.cpu_count()} processors",
    )


def _painted(page: Page) -> None:
    page.get_by_role("heading", name="Chat with SEC filings").wait_for()
    page.get_by_test_id("stChatInputTextArea").wait_for()


def _quiet() -> float:
    """Wait for a quiet moment, for so long and no longer; the load of the last minute."""
    deadline = time.monotonic() + QUIET_WAIT_S
    while os.getloadavg()[0] > QUIET and time.monotonic() < deadline:
        time.sleep(2)
    return os.getloadavg()[0]


def reruns(check: Checks, browser: Browser, at: App) -> None:
    """In turn, so that what else the machine does hits both."""
    page = visit(browser, at.url).page
    ask(page, BACKLOG, 1)
    store = ConversationStore(at.home)
    message = store.messages(store.listed()[0].id)[0]
    assert message.answer is not None
    pages = {}
    for count in (FEW, MANY):
        name = new_id()
        for number in range(count // 2):  # a question and its answer are two messages
            # Answers are told apart by their timings.
            answer = replace(message.answer, timings_ms={"write": 1.0 + number})
            store.keep(name, replace(message, answer=answer))
        pages[count] = visit(browser, f"{at.url}/?conversation={name}").page
        pages[count].get_by_text(" dimensions · ").last.wait_for()
        settled(pages[count])
        failed = pages[count].locator("[data-testid=stAlertContentError]").count()
        drawn = pages[count].get_by_test_id("stChatMessage").count()
        assert not failed and drawn == min(count, 2 * RECENT), f"{drawn} messages are drawn"
    took: dict[int, list[float]] = {FEW: [], MANY: []}
    load = _quiet()
    for _ in range(RERUNS):
        for count, shown in pages.items():
            box = shown.get_by_role("checkbox", name="Filter by the question's words")
            took[count].append(box.evaluate(RERUN_MS))
    few, many = statistics.median(took[FEW]), statistics.median(took[MANY])
    check(
        f"a rerun with {MANY} messages takes at most {MOST_TIMES} times one with {FEW}",
        many <= MOST_TIMES * few,
        f"medians of {RERUNS}: {many:.0f} ms and {few:.0f} ms, {many / few:.2f} times; "
        f"load {load:.1f}",
    )
