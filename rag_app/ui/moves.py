"""What became of each hit between two lists: risen, fallen, new, gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llama_index.core.schema import NodeWithScore


@dataclass(frozen=True, slots=True)
class Move:
    """A passage's rank in the left list and in the right one, from 1; None where it is not."""

    left: int | None
    right: int | None

    @property
    def sign(self) -> str:
        """``↑3``, ``↓1``, ``=``, ``new`` or ``gone``, as seen from left to right."""
        if self.left is None:
            return "new"
        if self.right is None:
            return "gone"
        up = self.left - self.right
        return f"↑{up}" if up > 0 else f"↓{-up}" if up < 0 else "="

    @property
    def says(self) -> str:
        """The move in words: ``5 rises to 2``."""
        if self.left is None:
            return f"{self.right} is new"
        if self.right is None:
            return f"{self.left} is gone"
        if self.left == self.right:
            return f"{self.left} stays"
        return f"{self.left} {'rises' if self.right < self.left else 'falls'} to {self.right}"


def moves(left: Sequence[NodeWithScore], right: Sequence[NodeWithScore]) -> list[Move]:
    """One move a passage, by its rank on the right, then those that are gone.

    A hit stands for the same passage in other filings too, so two hits are one passage where any
    of what they stand for is shared.
    """
    waiting = {rank: _stands_for(hit) for rank, hit in enumerate(left, start=1)}
    found = []
    for rank, hit in enumerate(right, start=1):
        ids = _stands_for(hit)
        before = next((one for one, others in waiting.items() if ids & others), None)
        if before is not None:
            del waiting[before]
        found.append(Move(before, rank))
    return [*found, *(Move(rank, None) for rank in waiting)]


def _stands_for(hit: NodeWithScore) -> set[str]:
    return {hit.node.node_id, *(str(place["chunk_id"]) for place in hit.node.metadata["also_in"])}
