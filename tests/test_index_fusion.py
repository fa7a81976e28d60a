"""Fusion and ties: both scores count as weighed, and nothing hangs on the order of input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag_app.index.fusion import SCALE, Pool, best_first, fuse, top_rows
from rag_app.index.lexical import LexicalIndex, write_lexical


def pool(cosines: list[float], bm25: list[float]) -> Pool:
    ids = tuple("abcdefgh"[: len(cosines)])
    vectors = np.zeros((len(ids), 4), dtype=np.float32)
    return Pool(ids, vectors, np.array(cosines), np.array(bm25))


def test_both_sides_count_as_weighed() -> None:
    found = pool([0.9, 0.5, 0.1], [2.0, 11.0, 12.0])
    assert fuse(found, 0.5) == pytest.approx([0.5 * (SCALE * 0.9 + 2), 10.5, 7.0])
    assert [found.ids[row] for row in best_first(found.ids, fuse(found, 1.0))] == ["a", "b", "c"]
    assert [found.ids[row] for row in best_first(found.ids, fuse(found, 0.0))] == ["c", "b", "a"]


def test_what_one_candidate_scores_hangs_on_no_other() -> None:
    both, alone = pool([0.9, 0.5], [2.0, 11.0]), pool([0.9], [2.0])
    assert fuse(both)[0] == fuse(alone)[0]


def test_equal_scores_go_by_id() -> None:
    assert best_first(["b", "c", "a"], np.array([1.0, 2.0, 1.0])) == [1, 2, 0]
    assert best_first(["b", "a"], np.array([0.3 + 1e-9, 0.3])) == [1, 0]  # rounding is no lead


def test_the_top_keeps_all_that_equal_its_last() -> None:
    scores = np.array([3.0, 1.0, 2.0, 2.0, 0.0])
    assert list(top_rows(scores, 2)) == [0, 2, 3]
    assert list(top_rows(scores, 1)) == [0]
    assert list(top_rows(scores, 9)) == [0, 1, 2, 3, 4]


def test_bm25_breaks_ties_by_id_and_keeps_to_what_is_admitted(tmp_path: Path) -> None:
    twice = "Copper prices rose."
    write_lexical(tmp_path, {"z": twice, "b": twice, "a": "Nickel.", "c": twice})
    index = LexicalIndex(tmp_path)
    assert [id_ for id_, _ in index.query("copper", 2)] == ["b", "c"]
    assert [id_ for id_, _ in index.query("copper", 5, {"z", "a", "unknown"})] == ["z"]
    scores = index.scores("copper")
    assert list(index.scores_of(scores, ["a", "z", "unknown"])) == [0, scores[0], 0]
    assert index.query("gold", 5) == []
