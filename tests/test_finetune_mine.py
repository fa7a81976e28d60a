"""Hard negatives: from training rows alone, under the ceiling, never a twin of the right one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from eval.rows import QaRow
from finetune import mine_cli
from finetune.mine import CEILING, Negative, in_turn, mine_negatives, negative_texts
from rag_app.cli import OK, run
from rag_app.errors import DataError
from rag_app.index.embedder import Embedder


def row(number: int, question: str, context: str, ticker: str = "ACME") -> QaRow:
    return QaRow(str(number), question, "", context, ticker, "2023_10K")


LEASES = "Operating lease cost was $41 million in fiscal 2023, mostly for stores in nine states"
ROWS = [
    row(0, "What was operating lease cost in fiscal 2023?", LEASES, "T0"),
    row(1, "How much did leases cost?", f"{LEASES} and abroad.", "T1"),  # near-duplicate of 0
    row(2, "What was operating lease cost in 2022?", "Lease cost was $39 million in 2022.", "T2"),
    row(3, "What was finance lease interest?", "Interest on finance leases was $2 million.", "T3"),
    row(4, "Who audits?", "Our auditor is Deloitte in Boise.", "T4"),
    row(5, "Where are stores?", "Stores stand in nine states.", "T5"),
    row(6, " ", "Operating lease cost, which nobody asks about.", "T6"),
    row(7, "What was operating  lease cost in fiscal 2023", "Lease cost: see Note 9.", "T7"),
]


def test_negatives_are_hard_wrong_and_not_twins(minilm: Embedder) -> None:
    mined = mine_negatives(ROWS, embedder=minilm, count=3)

    assert mined.keys() == {"0", "1", "2", "3", "4", "5", "7"}
    by_id = {one.id: one for one in ROWS}
    for row_id, found in mined.items():
        assert len(found) == 3
        assert row_id not in {one.row_id for one in found}
        assert all(by_id[one.row_id].context == one.text for one in found)
    # The twin of 0, and what 7 gives as right for the same question, are wrong for neither.
    for row_id in ("0", "7"):
        assert not {one.row_id for one in mined[row_id]} & {"0", "1", "6", "7"}
    assert "3" in {one.row_id for one in mined["0"]}
    # Twins of one another are taken once.
    assert not {"0", "1"} <= {one.row_id for one in mined["2"]}


def test_no_hard_negative_scores_above_the_ceiling(minilm: Embedder) -> None:
    mined = mine_negatives(ROWS, embedder=minilm, count=3, ceiling=0.6)
    hard = 0
    for one in ROWS:
        right, *wrong = (
            minilm.encode_documents([one.context, *(n.text for n in mined.get(one.id, ()))])
            @ minilm.encode_queries([one.question]).T
        ).ravel()
        for negative, cosine in zip(mined.get(one.id, ()), wrong, strict=True):
            if negative.by != "random":
                hard += 1
                assert cosine <= 0.6 * right + 1e-5
            if negative.by == "dense":
                assert negative.score == pytest.approx(cosine, abs=1e-3)
    assert hard > 5
    higher = mine_negatives(ROWS, embedder=minilm, count=3, ceiling=CEILING)
    assert higher != mined


def test_bm25_alone_judges_by_its_own_scores() -> None:
    mined = mine_negatives(ROWS, count=2)
    # BM25 puts 5 ("nine states") behind 0 and 1 for the question of 0.
    assert {one.by for found in mined.values() for one in found} == {"bm25", "random"}
    assert all(one.score > 0 for found in mined.values() for one in found if one.by == "bm25")
    assert mined["0"][0].by == "bm25"
    assert mined == mine_negatives(ROWS, count=2)
    # "Who audits?" shares no word with any passage but, at most, its own.
    assert {one.by for one in mined["4"]} == {"random"}
    assert mine_negatives(ROWS, count=2, seed=1)["4"] != mined["4"]


def test_a_negative_cosine_has_its_ceiling_below_itself() -> None:
    from finetune.mine import _hardest

    scores = np.array([-0.2, -0.195, -0.22, -0.3, 0.1], dtype=np.float32)
    ranked = _hardest([("dense", scores), ("bm25", np.arange(5, dtype=np.float32))], 0, 0.95)
    # Those at or below -.21 alone; and of those only scores above zero are hard.
    assert [[at for at, _, _ in way] for way in ranked] == [[], [3, 2]]


def test_the_ways_take_turns() -> None:
    assert list(in_turn([["a", "b", "c"], [], ["d"]])) == ["a", "d", "b", "c"]


def test_what_cannot_be_mined_is_refused(minilm: Embedder) -> None:
    with pytest.raises(DataError, match="a model, BM25 or both"):
        mine_negatives(ROWS, lexical=False)
    with pytest.raises(DataError, match="the same passage"):
        mine_negatives(ROWS[:2])


def test_texts_go_to_the_pairs_by_row() -> None:
    mined = {"3": (Negative("1", "a", "bm25", 2.0), Negative("2", "b", "random", 0.0))}
    assert negative_texts(mined) == {"3": ("a", "b")}


def test_the_command_writes_negatives_of_training_rows_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "qa.csv", tmp_path / "new" / "negatives.jsonl"
    lines = [f"{one.question},{one.context.replace(',', ';')},{one.ticker}" for one in ROWS]
    data.write_text("\n".join(["q,context,ticker", *lines]))
    parser = argparse.ArgumentParser()
    mine_cli.add_command(parser.add_subparsers())
    argv = f"mine --data {data} --out {out} --question-column q --by bm25 --holdout t2,t3".split()
    args = parser.parse_args([*argv, "--count", "2"])

    assert run(args.act, args) == OK

    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert records
    assert all(1 <= len(record["negatives"]) <= 2 for record in records)
    told = {record["ticker"] for record in records}
    told |= {one["ticker"] for record in records for one in record["negatives"]}
    assert not told & {"T2", "T3"}
    assert f"in {out}." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        parser.parse_args([*argv, "--count", "0"])
