"""Quote mode: a margin that no row prints is answered by an expression over two figures."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core.schema import NodeWithScore

from rag_app.chat.amounts import amount_asked, amount_fits, gives, names_of
from rag_app.chat.citations import citation_of
from rag_app.chat.claims import Claim
from rag_app.chat.derived import earlier_text, end_of
from rag_app.chat.evidence import Entry, passage_entries
from rag_app.chat.growth import said_period
from rag_app.chat.matching import SURE
from rag_app.chat.periods import agree
from rag_app.chat.ratios import ratio_asked

Found = tuple[float, str, Entry]
"""How well an entry fits, the filing that it stands in, and the entry."""


def margin_line(question: str, hits: Sequence[NodeWithScore]) -> str | None:
    """``Operating margin, 2024: {{9 / 47 %}} (Operating Income over Revenues) [2][3].``

    None where the question asks for no ratio, a passage prints it for the period, or the two
    amounts are not shown for one period of one filing, in one scale.
    """
    ratio = ratio_asked(question, names_of(hits))
    printed = amount_asked(question, names_of(hits))
    if ratio is None or (printed and _found(printed, hits, ("%", "%?"))):
        return None
    wholes = _found(ratio.whole, hits, ("amount",))
    for _, filing, part in _found(ratio.part, hits, ("amount",)):
        for _, of, whole in wholes:
            if of == filing and _divides(part, whole):
                markers = sorted({each.marker for each in (part, whole) if each.marker})
                marks = "".join(f"[{marker}]" for marker in markers)
                return (
                    f"{ratio.title}, {said_period(part.periods[0])}: "
                    f"{{{{{earlier_text(part)} / {earlier_text(whole)} %}}}} "
                    f"({part.label} over {whole.label}) {marks}"
                )
    return None


def _divides(part: Entry, whole: Entry) -> bool:
    """Whether two figures are of one period and scale, and of two rows."""
    same = agree(part.periods[0], whole.periods[0], part.calendar)
    return same and part.scale == whole.scale and whole.amount > 0 and part.row != whole.row


def _found(claim: Claim, hits: Sequence[NodeWithScore], units: Sequence[str]) -> list[Found]:
    """The rows' figures that surely are what is claimed, the latest and best first."""
    found: list[Found] = []
    for marker, hit in enumerate(hits, start=1):
        fits = amount_fits(claim, marker, hit)
        names = names_of([hit])
        for entry in passage_entries(citation_of(marker, hit)):
            if entry.prose or not entry.periods or entry.unit not in units:
                continue
            fit = min(fits[entry.title], gives(claim, entry, names))
            if fit >= SURE:
                found.append((fit, str(hit.node.metadata["filing"]), entry))
    return sorted(found, key=lambda each: (end_of(each[2].periods[0]), each[0]), reverse=True)
