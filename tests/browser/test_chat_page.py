"""The chat page in a real browser: streaming, amounts, sources, and no request to a stranger."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from llm_standin import StandIn, llm_standin

sys.path.append(str(Path(__file__).parents[1] / "trial"))

from browsing import CHROMIUM, app, ask, chromium, pick, settled, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
HOSTILE = [
    "Backlog was **$94.6 mil",
    "lion**, against $103.9 million a year before [1].\n\n- ![x](https://evil.example/a.png)\n",
    "- [read on](https://evil.example/b)\n- <img src='https://evil.example/c.png'>\n",
    "- https://evil.example/d and <script src='https://evil.example/e.js'></script>\n",
]


@pytest.fixture(scope="module")
def answers() -> Iterator[StandIn]:
    """The LLM that the page asks."""
    with llm_standin(StandIn(pieces=HOSTILE)) as answers:
        yield answers


@pytest.fixture(scope="module")
def server(
    sample_home: Path, tmp_path_factory: pytest.TempPathFactory, answers: StandIn
) -> Iterator[str]:
    """The real page, started as a user starts it, over a copy of the sample library."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed; `apt install chromium` adds it")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed; `make test` installs it")
    folder = tmp_path_factory.mktemp("browser")
    home = Path(shutil.copytree(sample_home, folder / "home"))
    settings = {"OPENAI_BASE_URL": answers.url, "OPENAI_API_KEY": "sk-quillfeather-0042"}
    with app(home, RAG_MODEL="minilm", RAG_ENCODER="torch", **settings) as started:
        yield started.url
        assert "Traceback" not in started.said()
        assert "quillfeather" not in started.said()


@pytest.fixture
def page(server: str) -> Iterator[Page]:
    """A fresh browser on the page."""
    with chromium() as browser:
        yield visit(browser, server).page


def test_a_conversation(page: Page, answers: StandIn) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    text = ask(page, "What was Larkspur's order backlog at the end of 2023?", 1)
    assert "Backlog was $94.6 million, against $103.9 million a year before [1]." in text
    assert "![x](https://evil.example/a.png)" in text.replace("\u200b", "")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    assert answer.locator("strong", has_text="$94.6 million").count() == 1
    assert answer.locator(".katex, img, script").count() == 0
    assert page.locator("a[href*='evil']").count() == 0

    answer.locator("summary").click()
    source = answer.get_by_test_id("stExpander")
    source.get_by_text("[1] Larkspur Instruments, Inc. 10-K fiscal 2023, Item 1").wait_for()
    assert "score " in source.inner_text()
    assert "$94.6 million at December 31, 2023" in source.inner_text()

    settled(page)
    pick(page, "Dimension", "64")
    text = ask(page, "and in 2024?", 2)
    assert "minilm at 64 dimensions" in text
    assert "Asked of LKSP fiscal 2024 (from the question)" in text
    assert "Searched for: What was Larkspur's order backlog at the end of 2024?" in text
    roles = [message["role"] for message in answers.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]

    page.wait_for_timeout(500)
    hosts = {urlsplit(url).hostname for url in asked if url.startswith(("http", "ws"))}
    assert hosts <= {"127.0.0.1"}


def test_a_table_passage_is_a_table(page: Page) -> None:
    ask(page, "What were Larkspur's net sales by segment?", 1)
    answer = page.get_by_test_id("stChatMessage").nth(1)
    answer.locator("summary").click()
    row = answer.locator("tr", has_text="Sensing Products").first
    row.wait_for()
    assert row.locator("td").count() >= 3
    assert "|" not in row.inner_text()


def test_the_text_is_there_before_the_answer_is_whole(page: Page, answers: StandIn) -> None:
    looked = threading.Event()

    def pieces(request: dict[str, Any]) -> Iterator[str]:
        yield "First words. "
        looked.wait(120)
        yield "Then $5 million [1]."

    answers.pieces = pieces
    try:
        page.get_by_test_id("stChatInputTextArea").fill("What was backlog in 2023?")
        page.keyboard.press("Enter")
        message = page.get_by_test_id("stChatMessage").nth(1)
        message.get_by_text("First words.").wait_for()
        assert "$5 million" not in message.inner_text()
        looked.set()
        message.get_by_text("Then $5 million [1].").wait_for()
    finally:
        looked.set()
        answers.pieces = HOSTILE
