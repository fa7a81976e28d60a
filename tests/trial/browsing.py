"""The real app in a real browser: a home, a server, a chromium, and named checks in a table."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data/sample/filings"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 240_000
"""Beside two trainings on two processors the first answer, which imports torch, takes minutes."""
START_S, STOP_S = 180, 120
LOOPBACK = "127.0.0.1"
WIDE = {"viewport": {"width": 1100, "height": 860}}
MARKER = 'a[href^="#passage-"]'
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
ALERT = '[data-testid="stAlert"]'


@dataclass(frozen=True, slots=True)
class App:
    """A running server and what it wrote to its log."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """The log so far."""
        return self.log.read_text("utf-8", errors="replace")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def rag_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment with no setting of the person who runs this, but for those given."""
    foreign = ("RAG_", "OPENAI_", "EDGAR_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**own, "RAG_HOME": str(home), **more}


def new_home(folder: Path, library: Path | None = None) -> Path:
    """A home with the sample filings: a copy of ``library``, or ingested as a user does."""
    home = folder / "home"
    if library is not None:
        return Path(shutil.copytree(library, home))
    ingest(home, SAMPLE)
    return home


def ingest(home: Path, path: Path) -> str:
    """Put filings into a home by the command line; returns what it printed."""
    command = [sys.executable, "-m", "rag_app", "ingest", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=rag_environment(home), capture_output=True, text=True, check=True
    )
    return done.stdout


@contextmanager
def app(home: Path, **settings: str) -> Iterator[App]:
    """The app, started as a user starts it; ``settings`` are environment variables.

    Raises:
        RuntimeError: it did not start.
    """
    port = free_port()
    log = home.parent / f"server-{port}.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "rag_app", "chat", "--port", str(port)],
            cwd=ROOT,
            env=rag_environment(home, **settings),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    started = App(f"http://{LOOPBACK}:{port}", home, process, log)
    try:
        _await(started)
        yield started
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        finally:
            process.kill()


def _await(started: App) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and started.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{started.url}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start: {started.said()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Visit:
    """A page in a browser context of its own, with all that it asked for and all that it said."""

    page: Page
    context: BrowserContext
    asked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def foreign(self) -> list[str]:
        """Requests to any host but the loopback."""
        loaded = (url for url in self.asked if urlsplit(url).scheme not in ("data", "blob"))
        return [url for url in loaded if urlsplit(url).hostname != LOOPBACK]


def visit(browser: Browser, url: str = "", **options: Any) -> Visit:
    """Open a fresh context, as another person; ``options`` are Playwright's for a context."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    visited = Visit(page, context)
    context.on("request", lambda request: visited.asked.append(request.url))
    page.on("websocket", lambda socket: visited.asked.append(socket.url))

    def dismiss(dialog: Any) -> None:
        visited.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    if url:
        page.goto(url)
    return visited


def ask(page: Page, question: str, answer_number: int) -> str:
    """Ask, wait for the footer under the answer, and return the text of the answer's message."""
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.keyboard.press("Enter")
    return answered(page, answer_number)


def answered(page: Page, answer_number: int) -> str:
    """The text of the answer's message, once its footer stands under it."""
    message = page.get_by_test_id("stChatMessage").nth(2 * answer_number - 1)
    message.get_by_text(" dimensions · ").first.wait_for()
    settled(page)
    return message.inner_text()


def sources_of(page: Page) -> str:
    """The text of the newest answer's sources, opened."""
    box = page.get_by_test_id("stExpander").filter(has_text="Sources:").last
    box.locator("summary").click()
    box.get_by_text("cosine").first.wait_for()
    return box.inner_text()


def settled(page: Page) -> None:
    """Wait until the page is drawn to its end and stands still."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=\"stSkeleton\"]')")
    page.wait_for_timeout(500)


@dataclass(slots=True)
class Checks:
    """Named checks, each passed or not, with what was seen."""

    rows: list[tuple[str, bool, str]] = field(default_factory=list)

    def __call__(self, name: str, passed: bool, seen: object) -> None:
        told = " ".join(str(seen).replace("|", "\\|").replace("`", "'").split())
        self.rows.append((name, bool(passed), told))
        print(f"{'PASS' if passed else 'FAIL'}  {name}: {told}", flush=True)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of the trial: what goes wrong in it is a failed check, and the rest goes on."""
        try:
            yield
        except Exception as error:
            self(name, False, f"{type(error).__name__}: {str(error)[:400]}")

    def failed(self) -> int:
        """How many did not pass."""
        return sum(not passed for _, passed, _ in self.rows)

    def write(self, out: Path, title: str, command: str) -> None:
        """The table in Markdown."""
        now = dt.datetime.now(dt.UTC)
        lines = [
            f"# {title}",
            "",
            f"`{command}`, {now:%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f} on "
            f"{os.cpu_count()} processors: {len(self.rows) - self.failed()} of {len(self.rows)} "
            "checks passed.",
            "",
            "| check | outcome | seen |",
            "|---|---|---|",
        ]
        lines += [
            f"| {name} | {'PASS' if ok else 'FAIL'} | {seen} |" for name, ok, seen in self.rows
        ]
        out.write_text("\n".join([*lines, ""]), "utf-8")


def pick(page: Page, label: str, option: str) -> None:
    """Choose from a drop-down list."""
    unfold(page, label)
    page.get_by_role("option", name=option, exact=True).click()


def unfold(page: Page, label: str) -> None:
    """Open a drop-down list; it is scrolled to first, since a scroll closes a list that is open.

    Playwright clicks in the same frame in which it scrolled, and the browser tells of the scroll
    in the next: on a busy machine that is after the list has opened.
    """
    box = page.get_by_role("combobox", name=label, exact=True)
    box.scroll_into_view_if_needed()
    page.evaluate(TWO_FRAMES)
    box.click()
