"""Injected passages, a stand-in model that obeys all that it can read, and what would do harm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_standin import StandIn
from markdown_it import MarkdownIt

from rag_app.chat.unseen import without_unseen

ATTACKS = Path(__file__).parent / "injection/attacks.jsonl"
TOLD_CHARACTERS = 600
"""So much of its prompt a stand-in gives away, where it is told to."""
_TAGS = re.compile(r"<(?:a |img|script|iframe|style|div|h\d|pre|code)")
_LIVE = re.compile(r"(?:https?|ftp)://|www\.|javascript:\w|data:\w|:[a-z-]+[\[:]", re.IGNORECASE)
"""What Streamlit would turn into a link, an icon or a colour."""
_LATEX = re.compile(r"(?<!\\)(?:\\\\)*\$")


@dataclass(frozen=True, slots=True)
class Attack:
    """A passage, and what a model that obeys it writes."""

    id: str
    kind: str
    passage: str
    obeyed: str
    hidden: bool = False
    html: bool = False


def attacks() -> list[Attack]:
    """All of them."""
    return [Attack(**json.loads(line)) for line in ATTACKS.read_text("utf-8").splitlines()]


class Obeying:
    """The pieces of a stand-in: what the orders in its last request want, one after the other.

    It reads what people do not see: tags are turned to the letters that they stand for.
    """

    def __init__(self) -> None:
        self.standin = StandIn(pieces=self)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[str]:
        prompt = prompt_of(self.standin.requests[-1])
        read = "".join(chr(ord(c) - 0xE0000) if 0xE0020 <= ord(c) < 0xE0080 else c for c in prompt)
        read = re.sub("[\u200b-\u200f\u2060-\u2064]", "", read)
        orders = [each for each in attacks() if f"Notice {each.id}" in read]
        for order in orders or [Attack("", "", "", "I saw no order.")]:
            text = order.obeyed.replace("{prompt}", prompt[:TOLD_CHARACTERS]) + "\n\n"
            # In halves: a payload may arrive in pieces.
            yield text[: len(text) // 2]
            yield text[len(text) // 2 :]


def prompt_of(request: dict[str, Any]) -> str:
    """All that a model is sent."""
    return "\n".join(str(message["content"]) for message in request["messages"])


def harms(shown: str) -> list[str]:
    """What a browser would follow, fetch, run or hide of Markdown that is shown.

    An escape of ours may stand in it as a zero-width space.
    """
    drawn = MarkdownIt("commonmark").enable("table").render(shown)
    plain = shown.replace("\u200b", "")
    found = [mark[0] for mark in _TAGS.finditer(drawn)]
    found += [mark[0] for pattern in (_LIVE, _LATEX) for mark in pattern.finditer(shown)]
    return found + ["unseen"] * (without_unseen(plain) != plain)
