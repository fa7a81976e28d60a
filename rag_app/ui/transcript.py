"""A conversation as one Markdown text: questions, answers, verdicts on figures, and sources.

Like the page it shows texts of filings, models and users as they are written: no HTML, no images,
no links that are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llama_index.core.schema import TextNode

from rag_app.answer import QUOTE_MODE
from rag_app.chat.message import Message
from rag_app.records import Answer, Citation, Figure
from rag_app.ui.markdown import answer_markdown, written_markdown
from rag_app.ui.passages import passage_markdown, place_of

MAX_NAME = 60


def transcript_markdown(title: str, messages: Sequence[Message]) -> str:
    """The whole conversation, question by question."""
    parts = [f"# {written_markdown(title)}"]
    for number, message in enumerate(messages, start=1):
        question = written_markdown(" ".join(message.question.split()))
        parts += [f"## {number}. {question}", *_told(message)]
    return "\n\n".join(parts) + "\n"


def transcript_name(title: str) -> str:
    """The file's name: ``what-was-revenue.md``."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:MAX_NAME].strip("-")
    return f"{slug or 'conversation'}.md"


def _told(message: Message) -> Iterator[str]:
    if message.searched_for != message.question:
        yield f"Searched for: {written_markdown(message.searched_for)}"
    if message.asked and message.asked.filters:
        yield f"Asked of: {written_markdown(message.asked.says)}"
    for note in message.asked.notes if message.asked else ():
        yield written_markdown(note)
    if message.answer is None:
        yield written_markdown(message.error)
        return
    yield answer_markdown(message.answer.text)
    yield from _figures(message.answer)
    yield from _sources(message.answer)
    llm = "no LLM" if message.answer.llm == QUOTE_MODE else message.answer.llm
    answered_by = f"{message.answer.model} at {message.answer.dim} dimensions, {llm}"
    yield f"Answered by {written_markdown(answered_by)}."


def _figures(answer: Answer) -> Iterator[str]:
    lines = dict.fromkeys(f"- {written_markdown(_verdict(each))}" for each in answer.figures)
    if lines:
        yield "### Figures"
        yield "\n".join(lines)


def _verdict(figure: Figure) -> str:
    """``$77 million: contradicted, passage 1: net sales, $94.6 million``."""
    parts = [figure.verdict, f"passage {figure.marker}" if figure.marker else ""]
    told = ", ".join(filter(None, parts))
    return f"{figure.text}: {told}" + (f": {figure.detail}" if figure.detail else "")


def _sources(answer: Answer) -> Iterator[str]:
    yield "### Sources"
    nodes = {hit.node.node_id: hit.node for hit in answer.hits}
    for citation in answer.citations:
        node = nodes.get(citation.chunk_id)
        if isinstance(node, TextNode):
            yield _source(citation, node)
    if not answer.citations:
        yield "No passage is cited."


def _source(citation: Citation, node: TextNode) -> str:
    about = node.metadata
    named = [
        str(about["company"]),
        f"{about['form']} fiscal {about['fiscal_year']}",
        f"period to {about['period_end']}" if about.get("period_end") else "",
        f"Item {about['item']}" if about["item"] else "",
        f"page {about['page']}" if about.get("page") else "",
    ]
    head = f"[{citation.marker}] {', '.join(filter(None, named))}"
    quoted = "\n".join(f"> {line}".rstrip() for line in passage_markdown(node).split("\n"))
    return f"**{written_markdown(head)}**\n\n{written_markdown(place_of(node))}\n\n{quoted}"
