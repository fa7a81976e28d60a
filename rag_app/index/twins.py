"""Passages that stand nearly word for word in several filings, told by their 5-word shingles."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag_app.index.fusion import Pool
from rag_app.index.opened import key_of

SHINGLE_WORDS = 5
MIN_SHARE = 0.8
"""Of the longer passage's shingles, those that the other must have too."""
NEAR = 0.85
"""Cosine under which texts are not compared; of 383 twins in real filings all had .90 or more."""

_TURNING = (
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty "
    "fifty sixty ninety hundred thousand million billion half third quarter twice "
    "no not nor never none neither without cannot unable except ineffective unlikely "
    "increase increased increases decrease decreased decreases rise rose risen fall fell fallen "
    "grew declined higher lower more less up down gain gains loss losses income "
    "favorable unfavorable positive negative material immaterial"
)
TELLING = frozenset(_TURNING.split())
"""Words that turn what a passage says, beside its figures."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate that is shown, and the rows of those it stands for, best first."""

    row: int
    twins: tuple[int, ...]


def collapse(
    order: Sequence[int], pool: Pool, text_of: Callable[[int], str], k: int
) -> list[Shown]:
    """The first k of ``order`` that are distinct; a passage stands for its later twins.

    ``order`` are rows of the pool. Twins are of different filings. Few texts are asked for: the
    vectors say which may be.
    """
    wording = functools.cache(lambda row: _Wording(text_of(row)))
    vectors = pool.vectors[order]
    shown: list[Shown] = []
    hidden: set[int] = set()
    for row in order:
        if len(shown) == k:
            break
        if row in hidden:
            continue
        own = key_of(pool.ids[row])
        near = np.flatnonzero(vectors @ pool.vectors[row] >= NEAR).tolist()
        twins = tuple(
            other
            for other in (order[place] for place in near)
            if other not in hidden
            and key_of(pool.ids[other]) != own
            and wording(row).says_the_same_as(wording(other))
        )
        hidden.update(twins, [row])
        shown.append(Shown(row, twins))
    return shown


def are_twins(one: str, other: str) -> bool:
    """Whether two texts say the same.

    "Revenue was $26,974" and the next year's "Revenue was $60,922" share their words and answer
    different questions, and so do "was effective" and "was not effective": figures, negations and
    directions must be the same, as often as they stand.
    """
    return _Wording(one).says_the_same_as(_Wording(other))


class _Wording:
    """A text's telling words and shingles, each worked out once however often it is compared."""

    def __init__(self, text: str) -> None:
        self._words = _words(text)

    def says_the_same_as(self, other: _Wording) -> bool:
        """As ``are_twins``."""
        if self._telling != other._telling:
            return False
        mine, theirs = self._shingles, other._shingles
        return len(mine & theirs) >= MIN_SHARE * max(len(mine), len(theirs), 1)

    @functools.cached_property
    def _telling(self) -> Counter[str]:
        return Counter(word for word in self._words if word[0].isdigit() or word in TELLING)

    @functools.cached_property
    def _shingles(self) -> set[tuple[str, ...]]:
        return shingles_of(self._words, SHINGLE_WORDS)


def _words(text: str) -> list[str]:
    return re.findall(r"\d[\d.,]*\d|[^\W_]+", text.lower())


def shingles_of(words: Sequence[str], length: int) -> set[tuple[str, ...]]:
    """Runs of so many words; a shorter text is one shingle of all its words, an empty one none."""
    count = max(1, len(words) - length + 1) if words else 0
    return {tuple(words[start : start + length]) for start in range(count)}
