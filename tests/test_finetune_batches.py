"""Batches by length: every row, no text twice, little padding, decided by seed and epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from eval.rows import load_qa_rows
from eval.splits import notebook_split
from finetune.batches import LengthBatchSampler, Lengths, SharedBatches, token_lengths
from finetune.pairs import build_pairs
from finetune.processes import Processes
from rag_app.index.embedder import Embedder

ROWS = 200


def texts(rows: int = ROWS) -> Dataset:
    """Every passage stands twice, under another question."""
    return Dataset.from_dict(
        {
            "anchor": [f"question {row}" for row in range(rows)],
            "positive": [f"passage {row // 2}" for row in range(rows)],
        }
    )


def lengths(rows: int = ROWS) -> Lengths:
    """Equal passages are equally long, so grouping by length brings them together."""
    drawn = np.random.default_rng(0).integers(5, 200, size=(rows, 2))
    drawn[1::2, 1] = drawn[0::2, 1]
    return drawn


def sampler(
    batch_size: int, *, rows: int = ROWS, seed: int = 42, **options: int
) -> LengthBatchSampler:
    given = {"mini_batch_size": 0, "drop_last": False} | options
    return LengthBatchSampler(
        texts(rows), lengths=lengths(rows), batch_size=batch_size, seed=seed, **given
    )


def padding(batches: list[list[int]], tokens: Lengths, unit: int) -> float:
    parts = [batch[at : at + unit] for batch in batches for at in range(0, len(batch), unit)]
    padded = sum(len(part) * tokens[part].max(axis=0).sum() for part in parts)
    return 1 - sum(tokens[part].sum() for part in parts) / padded


@pytest.mark.parametrize("batch_size", [2, 16, 64, 150])
def test_an_epoch_has_every_row_once_and_no_text_twice_in_a_batch(batch_size: int) -> None:
    batches = list(sampler(batch_size))

    passages = [[row // 2 for row in batch] for batch in batches]
    assert all(len(set(batch)) == len(batch) for batch in passages)
    if batch_size < ROWS // 2:  # else the second of two equal passages fits in no batch
        assert sorted(row for batch in batches for row in batch) == list(range(ROWS))
    assert len(batches) == len(sampler(batch_size))


def test_seed_and_epoch_decide_the_batches() -> None:
    one, same, other = sampler(16), sampler(16), sampler(16, seed=7)
    first = list(one)

    assert first == list(same)
    assert first != list(other)
    one.set_epoch(1)
    second = list(one)
    assert second != first
    neighbours = [{frozenset((a, b)) for a in batch for b in batch if a != b} for batch in first]
    kept = [
        any(pair in known for known in neighbours)
        for batch in second
        for pair in {frozenset((a, b)) for a in batch for b in batch if a != b}
    ]
    assert sum(kept) < 0.8 * len(kept)


def test_incomplete_batches_are_dropped_where_that_is_asked() -> None:
    batches = list(sampler(64, drop_last=True))

    assert [len(batch) for batch in batches] == [64, 64, 64]


def test_fewer_rows_than_a_batch_make_one_batch() -> None:
    (batch,) = sampler(64, rows=4)

    assert sorted(row // 2 for row in batch) == [0, 1]


def test_grouping_by_length_saves_padding() -> None:
    tokens = lengths(3200)
    batches = list(sampler(32, rows=3200))
    random = np.random.default_rng(1).permutation(3200).reshape(-1, 32).tolist()

    assert padding(batches, tokens, 32) < 0.5 * padding(random, tokens, 32)


def test_mini_batches_are_grouped_within_a_batch() -> None:
    tokens = lengths(3200)
    whole = list(sampler(256, rows=3200))
    parted = list(sampler(256, rows=3200, mini_batch_size=32))

    assert padding(parted, tokens, 32) < 0.8 * padding(whole, tokens, 32)


@pytest.mark.shared_data
def test_padding_is_under_15_percent_on_the_published_data(
    shared_data: Path, minilm: Embedder
) -> None:
    train, _ = notebook_split(load_qa_rows(str(shared_data / "financial_qa_10k.csv")))
    pairs = build_pairs(train)
    tokens = token_lengths(minilm.model, pairs.dataset, {})
    by_length = LengthBatchSampler(
        pairs.dataset, lengths=tokens, mini_batch_size=0, batch_size=64, drop_last=False, seed=42
    )

    batches = list(by_length)

    assert padding(batches, tokens, 64) < 0.15
    assert len(batches) == 99
    numbers: dict[str, int] = {}
    ids = [
        [numbers.setdefault(row[name], len(numbers)) for name in ("anchor", "positive")]
        for row in pairs.dataset
    ]
    assert all(
        len({id_ for row in batch for id_ in ids[row]}) == 2 * len(batch) for batch in batches
    )


def test_lengths_count_the_prompt_and_stop_at_the_models_longest(minilm: Embedder) -> None:
    rows = Dataset.from_dict(
        {"anchor": ["revenue", "revenue"], "positive": ["lamp " * 400, "lamp"]}
    )

    tokens = token_lengths(minilm.model, rows, {"anchor": "query: "})

    assert tokens.tolist() == [[5, 256], [5, 3]]


def test_a_group_makes_batches_of_its_own_and_the_rest_mixes() -> None:
    groups = [0] * 26 + [1] * 6 + [2] * 7 + [3]
    sampler = LengthBatchSampler(
        texts(40),
        lengths=lengths(40),
        mini_batch_size=0,
        groups=groups,
        batch_size=8,
        drop_last=False,
    )

    batches = list(sampler)

    assert len(batches) == len(sampler)
    assert all(len({groups[row] for row in batch}) == 1 for batch in batches)
    # Rows of a group share passages in pairs, so each makes two; a pair alone is no batch.
    assert sorted(len(batch) for batch in batches if groups[batch[0]]) == [3, 3, 3, 4]
    assert {row for batch in batches for row in batch} == {*range(39)}
    assert all(len({row // 2 for row in batch}) == len(batch) for batch in batches)


@pytest.mark.parametrize("epoch", [0, 1])
def test_batches_of_packs_of_any_size_are_shared_out_and_no_pack_is_lost(epoch: int) -> None:
    """Groups of 7, 6 and 2 rows among 3 processes: one row is spare, then none, then both."""
    groups = [0] * 30 + [1] * 7 + [2] * 6 + [3] * 2
    rows = Dataset.from_dict(
        {name: [f"{name} {row}" for row in range(45)] for name in ("anchor", "positive")}
    )
    whole = LengthBatchSampler(
        rows,
        lengths=lengths(46)[:45],
        mini_batch_size=0,
        groups=groups,
        parts=3,
        batch_size=12,
        drop_last=False,
    )
    shares = [SharedBatches(whole, Processes(rank, 3)) for rank in range(3)]
    for share in shares:
        share.set_epoch(epoch)
    parts = list(zip(*shares, strict=True))

    assert whole.spare == 3
    assert len(shares[0]) == len(parts) == 2 + 3
    assert all(len({len(rows) for rows in batch}) == 1 for batch in parts)
    batches = [[row for rows in batch for row in rows] for batch in parts]
    assert sorted(row for batch in batches for row in batch) == list(range(45))
    own = [{groups[row] for row in batch} for batch in batches]
    assert sorted(len(b) for b, kinds in zip(batches, own, strict=True) if 0 not in kinds) == [6, 6]


def test_an_epoch_leaves_out_fewer_rows_than_there_are_processes() -> None:
    rows = Dataset.from_dict(
        {name: [f"{name} {row}" for row in range(23)] for name in ("anchor", "positive")}
    )
    given = {"mini_batch_size": 0, "drop_last": False, "parts": 4, "batch_size": 8}
    tokens = lengths(24)
    sampler = LengthBatchSampler(rows, lengths=tokens[:23], **given)
    left_out = set()
    for epoch in range(5):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert [len(batch) % 4 for batch in batches] == [0] * len(sampler)
        held = {row for batch in batches for row in batch}
        assert len(held) == 20
        left_out |= set(range(23)) - held
    assert len(left_out) > 3
    few = LengthBatchSampler(rows.select(range(3)), lengths=tokens[:3], **given)
    assert len(few) == len(list(few)) == 0
