"""Which texts are equal, or nearly so, by their words and by their runs of five words."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence

NGRAM_WORDS = 5
MIN_SHARE = 0.8
"""Two texts are near-duplicates when one holds this share of the other's five-word runs."""
MIN_NGRAMS = 4
"""A text with fewer runs (under 8 words) is a near-duplicate of none."""


def normalised(text: str) -> str:
    """A text's words, lower-cased, without punctuation; blank texts and bare marks give ``""``."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """All pairs of rows (the first below the second) whose texts are near-duplicates.

    Equal texts are one text here: of each, only the first row is named (see ``duplicate_groups``).
    Exact, and not quadratic: a text that holds ``MIN_SHARE`` of another's runs must hold one of
    its rarest few, so only the holders of those are compared (prefix filtering: Bayardo, Ma and
    Srikant 2007, "Scaling up all pairs similarity search").
    """
    first_rows: dict[str, int] = {}
    for row, text in enumerate(texts):
        first_rows.setdefault(normalised(text), row)
    runs = {row: _ngrams(text) for text, row in first_rows.items()}
    holders: dict[int, list[int]] = defaultdict(list)
    for row, held in runs.items():
        for run in held:
            holders[run].append(row)
    pairs = set()
    for row, held in runs.items():
        if len(held) < MIN_NGRAMS:
            continue
        needed = math.ceil(MIN_SHARE * len(held))
        rarest = sorted(held, key=lambda run: (len(holders[run]), run))[: len(held) - needed + 1]
        for other in {other for run in rarest for other in holders[run]} - {row}:
            # The larger of two is found from the smaller, whose share is the higher one.
            if len(runs[other]) >= len(held) and len(held & runs[other]) >= needed:
                pairs.add((min(row, other), max(row, other)))
    return sorted(pairs)


def duplicate_groups(texts: Sequence[str]) -> list[int]:
    """A number for each text; equal where texts are equal, near-duplicates, or joined by a chain.

    The number is the group's first row. A blank text is a group of its own.
    """
    parents = list(range(len(texts)))

    first_rows: dict[str, int] = {}
    for row, text in enumerate(texts):
        words = normalised(text)
        if words:
            parents[row] = first_rows.setdefault(words, row)
    for one, other in near_duplicates(texts):
        low, high = sorted((root(parents, one), root(parents, other)))
        parents[high] = low
    return [root(parents, row) for row in range(len(texts))]


def root(parents: list[int], row: int) -> int:
    """The first row of the group that ``row`` is in, by each row's parent (a union-find forest)."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


def _ngrams(normal: str) -> set[int]:
    """Hashes of the runs of five words of a normalised text; a shorter text has none."""
    words = normal.split()
    return {
        hash(tuple(words[start : start + NGRAM_WORDS]))
        for start in range(len(words) - NGRAM_WORDS + 1)
    }
