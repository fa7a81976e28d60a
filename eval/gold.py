"""Which chunks of a filing hold a quoted gold passage."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag_app.index.twins import shingles_of

if TYPE_CHECKING:
    from rag_app.library import Library

SHINGLE_WORDS = 4
MIN_SHARE = 0.8
"""Share of the gold's shingles that a chunk must hold when no chunk holds the gold whole."""

Shingle = tuple[str, ...]


def own_texts(library: Library) -> dict[str, str]:
    """Chunk id → its own words, without the prefix that every chunk of an Item repeats.

    A gold of few words, such as an Item's title, stands in hundreds of prefixes.
    """
    return {
        node.node_id: node.text
        for key, version in library.versions().items()
        for node in library.chunks(key, version).values()
    }


def relevant_passages(
    golds: Sequence[tuple[str, str]], passages: Mapping[str, str]
) -> dict[str, list[str]]:
    """Question id → ids of the chunks that hold its gold; an empty list where none does.

    ``golds`` are (question id, gold text) of one filing and ``passages`` its chunks. A chunk holds
    the gold when its letters and digits, lower-cased, contain the gold's; where the chunker has
    cut through the gold, the chunks with the most of its 4-word shingles stand for it, if that is
    ``MIN_SHARE`` or more.
    """
    chunks = _Chunks(passages)
    found = {}
    for question_id, gold in golds:
        found[question_id] = chunks.whole(gold)
        if not found[question_id]:
            shares = chunks.shares(gold)
            best = max(shares.values(), default=0.0)
            found[question_id] = [id_ for id_, share in shares.items() if share == best]
    return found


def holding_passages(
    golds: Sequence[tuple[str, str]], passages: Mapping[str, str]
) -> dict[str, list[str]]:
    """As ``relevant_passages``, but any chunk with ``MIN_SHARE`` of the gold's shingles counts.

    This is for a set in which finding one of them is enough (``EvalSet.one_gold``).
    """
    chunks = _Chunks(passages)
    return {
        question_id: list(dict.fromkeys([*chunks.whole(gold), *chunks.shares(gold)]))
        for question_id, gold in golds
    }


class _Chunks:
    """The chunks of a filing, taken apart once for all golds."""

    def __init__(self, passages: Mapping[str, str]) -> None:
        self._flat: dict[str, str] = {}
        self._holders: dict[Shingle, list[str]] = defaultdict(list)
        for chunk_id, text in passages.items():
            words = _words(text)
            self._flat[chunk_id] = "".join(words)
            for shingle in shingles_of(words, SHINGLE_WORDS):
                self._holders[shingle].append(chunk_id)

    def whole(self, gold: str) -> list[str]:
        """The chunks that hold the gold's letters and digits in one run."""
        needle = "".join(_words(gold))
        return [id_ for id_, flat in self._flat.items() if needle and needle in flat]

    def shares(self, gold: str) -> dict[str, float]:
        """Chunk id → share of the gold's shingles, where that is ``MIN_SHARE`` or more."""
        shingles = shingles_of(_words(gold), SHINGLE_WORDS)
        held = Counter(id_ for shingle in shingles for id_ in self._holders.get(shingle, ()))
        shares = {id_: held[id_] / len(shingles) for id_ in self._flat if held[id_]}
        return {id_: share for id_, share in shares.items() if share >= MIN_SHARE}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
