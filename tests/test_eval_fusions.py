"""``eval fuse``: the share is chosen on some companies and measured on the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sample_rows import SAMPLE

from eval.__main__ import main
from eval.fusions import FUSIONS, SHARES, fuse_ranges, fuse_ranks
from rag_app.index.fusion import Pool

QUESTIONS = str(SAMPLE / "questions.jsonl")


def test_other_fusions_are_as_published() -> None:
    found = Pool(
        ("a", "b", "c"),
        np.zeros((3, 2), dtype=np.float32),
        np.array([0.8, 0.6, -0.1]),
        np.array([0.0, 10.0, 5.0]),
    )
    assert fuse_ranges(found, 0.5) == pytest.approx(
        [0.5, 0.5 * 1.6 / 1.8 + 0.5, 0.5 * 0.9 / 1.8 + 0.25]
    )
    assert fuse_ranks(found, 0.3) == pytest.approx(
        [0.3 / 61 + 0.7 / 63, 0.3 / 62 + 0.7 / 61, 0.3 / 63 + 0.7 / 62]
    )


def test_a_share_is_chosen_and_measured_elsewhere(
    sample_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    out = tmp_path / "fuse.json"
    command = ["fuse", "--protocol", "questions", "--data", QUESTIONS, "--model", "minilm"]
    assert main([*command, "--dims", "64", "--held", "LKSP", "--out", str(out)]) == 0
    said, record = capsys.readouterr().out, json.loads(out.read_text())
    rungs = {(rung["fusion"], rung["share"]): rung["values"] for rung in record["rungs"]}
    assert rungs.keys() == {(name, share) for name in FUSIONS for share in SHARES}
    served = {share: rungs["sum", share]["64"] for share in SHARES}
    assert record["share"] == max(SHARES, key=lambda share: (served[share], -share))
    assert f"dense_share = {record['share']}. With it, on LKSP:" in said
    assert record["held"] == ["LKSP"] and "LKSP" not in record["companies"]
    # At the ends of the ladder one side orders alone, however they are fused.
    for share in (0.0, 1.0):
        assert len({rungs[name, share]["64"] for name in FUSIONS}) == 1
    rows = {row["stage"]: row for row in record["stages"]}
    assert list(rows) == ["dense", "rescored", "bm25", "fused", "distinct"]
    assert rows["bm25"]["against_bm25"]["mean"] == 0
    for row in rows.values():
        gain = row["metrics"]["ndcg@10"] - rows["bm25"]["metrics"]["ndcg@10"]
        assert row["against_bm25"]["mean"] == pytest.approx(gain, abs=1e-3)

    assert main([*command, "--held", "NVDA"]) == 2
    assert "must be some of" in capsys.readouterr().err
