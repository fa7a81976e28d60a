"""Which chunks of a filing hold a quoted gold passage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

SHINGLE_WORDS = 4
MIN_SHARE = 0.8
"""Share of the gold's shingles that a chunk must hold when no chunk holds the gold whole."""


def relevant_passages(
    golds: Sequence[tuple[str, str]], passages: Mapping[str, str]
) -> dict[str, list[str]]:
    """Question id → ids of the chunks that hold its gold; an empty list where none does.

    ``golds`` are (question id, gold text) of one filing and ``passages`` its chunks. A chunk holds
    the gold when its letters and digits, lower-cased, contain the gold's; where the chunker has
    cut through the gold, the chunks with the most of its 4-word shingles stand for it, if that is
    ``MIN_SHARE`` or more.
    """
    flat = {chunk_id: "".join(_words(text)) for chunk_id, text in passages.items()}
    shingles: dict[str, set[tuple[str, ...]]] = {}
    found = {}
    for question_id, gold in golds:
        words = _words(gold)
        needle = "".join(words)
        whole = [chunk_id for chunk_id, text in flat.items() if needle and needle in text]
        if not whole and words:
            # Most golds are found whole, so shingles are cut only when the first one is not.
            shingles = shingles or {id_: _shingles(_words(text)) for id_, text in passages.items()}
            whole = _highest_share(_shingles(words), shingles)
        found[question_id] = whole
    return found


def _highest_share(
    gold: set[tuple[str, ...]], shingles: Mapping[str, set[tuple[str, ...]]]
) -> list[str]:
    share = {chunk_id: len(gold & held) / len(gold) for chunk_id, held in shingles.items()}
    best = max(share.values(), default=0.0)
    return [chunk_id for chunk_id, value in share.items() if value == best >= MIN_SHARE]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    """Runs of four words; a shorter text is one shingle of all its words."""
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return {tuple(words[start : start + SHINGLE_WORDS]) for start in range(count)}
