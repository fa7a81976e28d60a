"""Ways to answer the same questions, timed in turns on one machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Question = TypeVar("Question")
Found = TypeVar("Found")
BLOCK = 20
"""Questions that one way answers before the other does.

Question by question each would also be timed in what the other leaves behind: torch's threads spin
for milliseconds after their work and hold a core, and the caches are full of the other's vectors
(``eval/NOTES.md``). Nobody serves both.
"""


def in_turns(
    ways: Mapping[str, Callable[[Question], Found]], questions: Sequence[Question]
) -> dict[str, list[tuple[float, Found]]]:
    """Seconds and answer of every way for every question, in the order of the questions.

    Each way first answers the question before its block, untimed. The way that begins changes from
    block to block.
    """
    answered: dict[str, list[tuple[float, Found]]] = {name: [] for name in ways}
    order = list(ways)
    for start in range(0, len(questions), BLOCK):
        for name in order:
            way = ways[name]
            way(questions[start - 1])
            for question in questions[start : start + BLOCK]:
                began = time.perf_counter()
                found = way(question)
                answered[name].append((time.perf_counter() - began, found))
        order.reverse()
    return answered
