"""An answer's text → Markdown: markers that open their passage, statements without one marked."""

from __future__ import annotations

import re

from rag_app.answer import QUOTE_MODE
from rag_app.chat.rows import is_row
from rag_app.chat.statements import Statement, statements
from rag_app.records import Answer
from rag_app.ui.markdown import answer_markdown

NO_SOURCE = " :orange-badge[no source]"
_BARE = "\ue002"  # stands for the badge while the text is escaped
_MARKER = re.compile(r"\[(\d+)\\?\]")
_LINK = re.compile(r"#passage-(\d+)-(\d+)")


def answer_statements(answer: Answer) -> list[Statement]:
    """The statements of an answer, those of a quoted one line by line."""
    return list(statements(answer.text, quoted=answer.llm == QUOTE_MODE))


def cited_by(answer: Answer) -> list[tuple[int, Statement]]:
    """Every marker of an answer in reading order, with the statement that carries it."""
    return [(marker, each) for each in answer_statements(answer) for marker in each.markers]


def linked_markdown(answer: Answer, number: int) -> str:
    """The answer of message ``number``: each marker a link that ``opened_by`` reads.

    Markers are linked once the text is escaped, so that no link of it is the model's.
    """
    text = answer.text.replace(_BARE, " ")  # as long as before: statements count into it
    for each in reversed(answer_statements(answer)):
        if each.bare:
            closed = is_row(each.text) and each.text.endswith("|")  # the badge goes into the cell
            end = each.end - 1 if closed else each.end
            text = text[:end] + _BARE + text[end:]
    escaped = answer_markdown(text)
    count = 0

    def link(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        marker = match[1]
        return f'[\\[{marker}\\]](#passage-{number}-{count} "Show passage {marker}")'

    return _MARKER.sub(link, escaped).replace(_BARE, NO_SOURCE)


def opened_by(link: str) -> tuple[int, int] | None:
    """The message and the marker, both counted from 1, that a link names; None for another link."""
    named = _LINK.fullmatch(link)
    return (int(named[1]), int(named[2])) if named else None
