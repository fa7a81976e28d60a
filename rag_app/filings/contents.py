"""Tells a table of contents, which is dropped, from an index of statements inside an Item."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_app.filings.tables import ITEM_LABEL, Row, is_contents

_STATEMENT = re.compile(
    r"\breports? of (?:\S+ ){0,4}independent\b|\b(?:balance sheets?|cash flows?)\b"
    r"|\bstatements? of\b|\bincome statements?\b|\bnotes to\b|\bfinancial statements?\b"
    r"|\bschedules?\b|\bexhibits?\b",
    re.I,
)


def is_dropped(rows: Sequence[Row], links: int = 0) -> bool:
    """Whether the rows are contents that say nothing a reader would ask for.

    An index of financial statements ("Item 15 (a) 1. Financial Statements ... 54") belongs to its
    Item: at least half of its rows name statements, schedules or exhibits, and one Item at most.
    """
    texts = [text for row in rows if (text := " ".join(cell.text for cell in row if cell.text))]
    statements = sum(bool(_STATEMENT.search(text)) for text in texts)
    items = sum(bool(ITEM_LABEL.match(text)) for text in texts)
    return is_contents(rows, links) and (items > 1 or statements * 2 < len(texts))
