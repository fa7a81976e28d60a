"""Fusion and ties: both scores count as weighed, and nothing hangs on the order of input."""

from __future__ import annotations

from pathlib import Path

import bm25s
import numpy as np
import pytest
from numpy.typing import NDArray

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
    assert index.chunk_ids == ["a", "b", "c", "z"]
    longer = "z" * 100  # than any id that is there
    assert list(index.scores_of(scores, ["a", "z", "unknown", longer])) == [0, scores[3], 0, 0]
    assert index.query("gold", 5) == []


@pytest.mark.parametrize("rows", [20, 1_000, 40_013])
@pytest.mark.parametrize("values", [3, 50, 10**9])
def test_the_top_of_many_is_that_of_sorting_them(rows: int, values: int) -> None:
    rng = np.random.default_rng(rows + values)
    scores = rng.integers(0, values, rows).astype(np.float32)  # few values: many equals
    for n in (1, 10, 100, rows - 1):
        if n < rows:
            least = np.sort(scores)[-n]
            assert top_rows(scores, n).tolist() == np.flatnonzero(scores >= least).tolist()


def _by_bm25s(folder: Path, terms: list[str]) -> NDArray[np.float32]:
    return np.asarray(bm25s.BM25.load(folder).get_scores(terms))


def test_bm25_finds_the_best_of_many_and_none_without_a_shared_term(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = np.array(["copper", "nickel", "zinc", "tin", "lead", "iron"])
    passages = {
        f"{row:05}": " ".join(rng.choice(words[1:], 5)) + (" copper" if row % 700 == 0 else "")
        for row in range(5_000)
    }
    write_lexical(tmp_path, passages)
    index = LexicalIndex(tmp_path)
    scores = index.scores("copper tin")
    assert np.array_equal(scores, _by_bm25s(tmp_path, ["copper", "tin"]))
    assert not index.scores("gold of the").any()
    ranked = sorted(zip(-scores, index.chunk_ids, strict=True))[:30]
    assert [id_ for id_, _ in index.query("copper tin", 30)] == [id_ for _, id_ in ranked]
    assert {id_ for id_, _ in index.query("copper", 100)} == {
        f"{row:05}" for row in range(0, 5_000, 700)
    }
