"""Which Items look as if they were cut wrongly, in a sentence each for the filing's health."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag_app.filings.forms import FormItem
from rag_app.filings.sections import item_headings
from rag_app.records import Section

SHORT_ITEM = 100
"""Characters below which an Item has to say why it says no more."""
MIN_RIVAL = 1000
"""Characters below a heading that make it more than a mention of its Item."""

_EXCUSED = re.compile(
    r"\b(?:none|nothing|no|not|reserved|removed|omitted|deleted|n/a|see|refer\w*|incorporated|reference"
    r"|appears?|contained|included|set forth|submission of matters)\b",
    re.I,
)


def doubtful_items(sections: Sequence[Section], items: Sequence[FormItem]) -> Iterator[str]:
    """A sentence for each Item that is bare, short without a reason, or holds another's heading."""
    found = list(dict.fromkeys(section.item for section in sections if section.item))
    for key in found:
        own = [section for section in sections if section.item == key]
        text = "\n".join(section.text for section in own)
        bare = all(block.kind == "heading" for block in own[0].blocks)
        if bare and not _EXCUSED.search(text):
            yield f"Item {key} opens with a heading and nothing below it; look where its text is."
        elif len(text) < SHORT_ITEM and not _EXCUSED.search(text):
            yield f"Item {key} has only {len(text)} characters and no reason; is it whole?"
        numbers = {item.number for item in items if item.key == key}
        for section in own:
            rivals = (
                head.item.key
                for head in item_headings(section.blocks, items)
                if head.weight > MIN_RIVAL and head.item.number not in numbers
            )
            for rival in dict.fromkeys(rivals):
                yield f"A heading of Item {rival} stands inside Item {key}; one may be cut wrongly."
