"""Text to Markdown that shows it as written: no LaTeX, no HTML, no remote images or links.

Escaping is for display only; what is searched, stored and checked stays as it was written.
"""

from __future__ import annotations

import re

_ANSWER = re.compile(r"[$<>~]|!(?=\[)|\](?=\()|\](?=:)")
_WRITTEN = re.compile(r"[\\`*_{}\[\]()#+!$<>~:-]")
_URL = re.compile(r"(?<!\w)(?:https?|ftp)://|(?<!\w)www\.|(?<=[\w.])@(?=\w)", re.IGNORECASE)


def answer_markdown(text: str) -> str:
    """A model's answer: bold, lists and tables live; amounts, tags, images and links do not."""
    return _defuse(_ANSWER.sub(_escape, text))


def written_markdown(text: str) -> str:
    """A passage exactly as written; only table bars and line breaks keep their meaning."""
    lines = [line if _is_rule(line) else _WRITTEN.sub(_escape, line) for line in text.splitlines()]
    return _defuse("\n".join(lines))


def _is_rule(line: str) -> bool:
    """A Markdown table's rule, ``|---|---|``."""
    return bool(line.strip()) and set(line.strip()) <= set("|-: ") and "|" in line


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _defuse(text: str) -> str:
    """Keep bare addresses from becoming links: a zero-width space breaks the pattern."""
    return _URL.sub(lambda match: f"{match[0][0]}\u200b{match[0][1:]}", text)
