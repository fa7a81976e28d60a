"""Sentences and content words of a text, for quoting and for checking support."""

from __future__ import annotations

import functools
import re

from rag_app.filings.pieces import ABBREVIATION

# A full stop ends a sentence when white space and a capital, a quote or a digit follow; not
# behind the abbreviations that filings are full of.
_BORDER = re.compile(r"(?<=[.!?])[\"”’)]*(?:\s*\[\d+\])*\s+(?=[A-Z\"“(\d$•-])|\n+")
_WORD = re.compile(r"[a-z][a-z'’-]+|\d[\d,.]*\d|\d")


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, each with the markers behind it, in reading order."""
    found, start = [], 0
    for border in _BORDER.finditer(text):
        if "\n" not in border[0] and ABBREVIATION.search(text[start : border.start()]):
            continue
        found.append(text[start : border.end()].strip())
        start = border.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


@functools.lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """The stems of a text's words without English stop words, and its numbers."""
    import Stemmer
    from bm25s.stopwords import STOPWORDS_EN

    words = [word for word in _WORD.findall(text.lower()) if word not in STOPWORDS_EN]
    return frozenset(Stemmer.Stemmer("english").stemWords(words))
