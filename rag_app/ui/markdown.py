"""Text to Markdown that shows it as written: no LaTeX, no HTML, no remote images or links.

Escaping is for display only; what is searched, stored and checked stays as it was written.
"""

from __future__ import annotations

import re

_ANSWER = re.compile(r"[\\`$<>&~]|!(?=\[)|\](?=[(:])")
_WRITTEN = re.compile(r"[\\`*_{}\[\]()#+!$<>&~=|-]|(?<=\d)[.)](?=\s)")
_BLOCK_MARK = re.compile(r"^(?P<indent> {0,3})(?=#|=+ *$|-{2,} *$)", re.MULTILINE)
_SOFT_BREAK = re.compile(r"(?<=\S)\n(?=\S)")
_DEEP_INDENT = re.compile(r"^(?: {4,}| *\t)[ \t]*", re.MULTILINE)

# Streamlit and GFM turn these into links, icons and directives even where they are escaped, since
# they look at the text behind the escapes; a zero-width space breaks each pattern.
_LIVE = re.compile(
    r"(?P<head>https?|ftp)(?=://)|www(?=\.)|@(?=[\w-])|:(?=[A-Za-z]|[\w+-]+:)", re.IGNORECASE
)
ZERO_WIDTH_SPACE = "\u200b"
LIT, UNLIT = "\ue000", "\ue001"
"""Put around what is to stand out before a text is escaped: private characters, which no text of
ours has."""


def answer_markdown(text: str) -> str:
    """A model's answer: bold, lists and tables live; amounts, tags, images and links do not."""
    shallow = _DEEP_INDENT.sub("   ", text)  # four spaces would make code, where escapes show
    escaped = _ANSWER.sub(_escape, _defuse(shallow))
    return _BLOCK_MARK.sub(lambda match: f"{match['indent']}\\", escaped)


def written_markdown(text: str) -> str:
    """A text exactly as written, its line breaks kept."""
    lines = (line.strip() for line in text.strip().splitlines())
    escaped = "\n".join(_WRITTEN.sub(_escape, _defuse(line)) for line in lines)
    return _SOFT_BREAK.sub("  \n", escaped)


def without_lights(text: str) -> str:
    """A text of others without the characters that would make a part of it stand out."""
    return text.replace(LIT, "").replace(UNLIT, "")


def lit_markdown(markdown: str) -> str:
    """Escaped text with its lit parts marked and bold, so that not only a colour tells them."""
    return markdown.replace(LIT, ":yellow-background[**").replace(UNLIT, "**]")


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _defuse(text: str) -> str:
    return _LIVE.sub(lambda match: f"{match[0]}{ZERO_WIDTH_SPACE}", text)
