"""What counts as a question in words, wherever one is asked."""

from __future__ import annotations

import re

WORDS = r"[A-Za-z0-9\u00c0-\uffff]"
"""A question holds a letter or a digit; blanks and marks alone ask for nothing."""
NO_QUESTION = "Ask a question in words."


def in_words(question: str) -> bool:
    """Whether a question says anything that could be looked for."""
    return re.search(WORDS, question) is not None
