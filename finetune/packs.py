"""Short passages packed into long ones: training on what the index holds, without its filings.

A gold passage has some 45 tokens, a served chunk 200 and more, most of which are about something
else; and with a company filter every rival chunk is of the same filing. A pack is both: passages of
one filing, as many as fill a chunk, one of which is asked for among packs of the same filing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.duplicates import normalised
from eval.rows import QaRow
from eval.splits import company_of


@dataclass(frozen=True, slots=True)
class Packs:
    """Rows whose context is a pack, and for each the number, from 1, of the packs it competes with.

    A group is one filing's passages, packed once: no passage stands in two of its packs, so the
    others are all wrong. A row's id is the source row's, ``#``, and the group's number.
    """

    rows: tuple[QaRow, ...]
    groups: tuple[int, ...]


def packed_rows(
    rows: Sequence[QaRow],
    count_tokens: Callable[[Sequence[str]], list[int]],
    *,
    rounds: int,
    max_tokens: int = 200,
    seed: int = 42,
) -> Packs:
    """Pack each filing's contexts ``rounds`` times anew, and ask one question of each pack.

    Equal contexts stand once. A context longer than ``max_tokens`` is in no pack, as it is as long
    as a chunk by itself; a filing that fills fewer than 2 packs gives none, since nothing would
    compete.
    """
    random = np.random.default_rng(seed)
    filings: dict[tuple[str, str], dict[str, list[QaRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.question.strip() and row.context.strip():
            filings[company_of(row), row.filing][normalised(row.context) or row.context].append(row)
    packed: list[QaRow] = []
    groups: list[int] = []
    number = 0
    for (company, filing), passages in filings.items():
        asked = list(passages.values())
        sizes = count_tokens([same[0].context for same in asked])
        title = " ".join(part for part in (company, filing.replace("_", " ")) if part)
        for _ in range(rounds):
            packs = _fill(random.permutation(len(asked)).tolist(), sizes, max_tokens)
            if len(packs) < 2:
                break
            number += 1
            for pack in packs:
                text = "\n\n".join(asked[place][0].context for place in pack)
                among = [row for place in pack for row in asked[place]]
                row = among[int(random.integers(len(among)))]
                packed.append(replace(row, id=f"{row.id}#{number}", context=f"{title}\n{text}"))
                groups.append(number)
    return Packs(tuple(packed), tuple(groups))


def _fill(order: Sequence[int], sizes: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Places in this order, each in the first pack with room for it.

    Packs of like length waste little of a batch: cut in turn and with the long ones, as before,
    19% of their batches was padding; 7% is (`eval/NOTES.md`).
    """
    packs: list[list[int]] = []
    rooms: list[int] = []
    for place in order:
        size = sizes[place]
        if size > max_tokens:
            continue
        first = next((at for at, room in enumerate(rooms) if room >= size), len(packs))
        if first == len(packs):
            packs.append([])
            rooms.append(max_tokens)
        packs[first].append(place)
        rooms[first] -= size
    return packs
