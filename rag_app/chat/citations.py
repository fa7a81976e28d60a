"""Answer text to citations that exist, and figures to the passages that show them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from llama_index.core.schema import NodeWithScore, TextNode

from rag_app.chat.claims import claims_in
from rag_app.chat.evidence import company_words, evidence_of
from rag_app.chat.figures import all_numbers, numbers_in, shows
from rag_app.chat.text import content_words, sentences
from rag_app.chat.verdicts import verdict
from rag_app.filings.chunks import passage_text
from rag_app.records import Citation, Fact, Figure

NO_FACTS: Mapping[str, Sequence[Fact]] = MappingProxyType({})

_MARKER = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
SUPPORT_SHARE = 0.5  # of a sentence's content words that a passage must hold to be cited for it


def cite(text: str, hits: Sequence[NodeWithScore]) -> tuple[str, tuple[Citation, ...]]:
    """The text with only markers that exist, and the passages they point to.

    "[1, 3]" becomes "[1][3]"; a marker without a passage is dropped. When a model set none at
    all, each sentence gets the marker of a passage that holds at least half of its words, one that
    shows its figures first; a sentence that no passage supports stays bare.
    """
    known = range(1, len(hits) + 1)

    def keep_known(match: re.Match[str]) -> str:
        kept = [marker for marker in map(int, match[1].split(",")) if marker in known]
        return " " + "".join(f"[{marker}]" for marker in kept) if kept else ""

    cleaned = _MARKER.sub(keep_known, text).strip()
    if not _markers(cleaned):
        cleaned = _attribute(cleaned, hits)
    return cleaned, tuple(
        citation_of(marker, hits[marker - 1]) for marker in sorted(_markers(cleaned))
    )


def unknown_markers(text: str, hits: Sequence[NodeWithScore]) -> int:
    """How many markers of a model's text name no passage: ``cite`` takes them out."""
    named = (int(number) for group in _MARKER.findall(text) for number in group.split(","))
    return sum(not 1 <= marker <= len(hits) for marker in named)


def check_figures(
    text: str,
    citations: Sequence[Citation],
    facts: Mapping[str, Sequence[Fact]] = NO_FACTS,
) -> tuple[Figure, ...]:
    """Each figure of the text with its verdict, in reading order.

    Passages named in the figure's own sentence are tried first. ``facts`` are those of the cited
    filings by key.
    """
    checked = []
    shown, known = evidence_of(citations, facts)
    names = frozenset[str]().union(*map(company_words, citations))
    for sentence in sentences(text):
        named = _markers(sentence)
        order = sorted(shown, key=lambda entry: entry.marker not in named)
        cited = sorted(citations, key=lambda citation: citation.marker not in named)
        claims = [claim.without(names) for claim in claims_in(sentence)]
        checked += [verdict(claim, order, known, cited) for claim in claims]
    return tuple(checked)


def as_quoted(figures: Sequence[Figure], citations: Sequence[Citation]) -> tuple[Figure, ...]:
    """The figures of quotes: a row cut out of its table says less than a sentence, and is no claim.

    One that no rule could place, or that another row seems to contradict, stands where it was
    quoted from, as long as a cited passage shows it.
    """

    def placed(figure: Figure) -> Figure:
        if figure.verdict not in ("contradicted", "not found"):
            return figure
        number = next(iter(all_numbers(figure.text)), None)
        showing = (c.marker for c in citations if number and shows(c.text, number))
        marker = next(showing, None)
        return figure if marker is None else Figure(figure.text, marker, "in passage", "quoted")

    return tuple(map(placed, figures))


def citation_of(marker: int, hit: NodeWithScore) -> Citation:
    """A hit under its marker."""
    assert isinstance(hit.node, TextNode)
    return Citation(
        marker=marker,
        chunk_id=hit.node.node_id,
        filing=str(hit.node.metadata["filing"]),
        item=str(hit.node.metadata["item"]),
        text=passage_text(hit.node),
    )


def _markers(text: str) -> set[int]:
    return {int(number) for group in _MARKER.findall(text) for number in group.split(",")}


def _attribute(text: str, hits: Sequence[NodeWithScore]) -> str:
    passages = [passage_text(hit.node) for hit in hits if isinstance(hit.node, TextNode)]
    cited, end = text, 0
    for sentence in sentences(text):
        end = cited.index(sentence, end) + len(sentence)
        if marker := best_support(sentence, passages):
            mark = f" [{marker}]"
            cited = cited[:end] + mark + cited[end:]
            end += len(mark)
    return cited


def best_support(
    sentence: str, passages: Sequence[str], least_share: float = SUPPORT_SHARE
) -> int | None:
    """The number, from 1, of the passage that supports a sentence best; None when none does.

    It must hold ``least_share`` of the sentence's words; among those, one that shows all its
    figures goes first. When none shows them the number says where to look, and the figure check
    says that the figure does not stand there.
    """
    words = content_words(sentence)
    figures = numbers_in(sentence)
    best, best_fit = None, (False, 0.0)
    for number, passage in enumerate(passages, start=1):
        share = len(words & content_words(passage)) / len(words) if words else 0.0
        fit = (all(shows(passage, figure) for figure in figures), share)
        if share >= least_share and fit > best_fit:
            best, best_fit = number, fit
    return best
