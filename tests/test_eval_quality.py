"""The embedding space, the probes, what is forgotten, and ``eval quality``."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from reports import make_report
from tiny_model import build_tiny_model, write_rows

import eval.forgetting as forgetting
import eval.quality as quality
from eval.__main__ import main
from eval.forgetting import general_set, nano_set, what_is_kept
from eval.probes import KINDS, PROBES, ProbeScores, auc, auc_gain, load_probes, score_probes
from eval.quality import measure_space, sample_pairs
from eval.rows import QaRow
from rag_app.errors import DataError
from rag_app.index.embedder import Embedder, Vectors


def unit(rows: int, dim: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((rows, dim)) + 0.3
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_the_figures_are_those_of_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "BLOCK_ROWS", 7)
    questions, contexts = unit(15, 6), unit(15, 6, seed=1)
    space = measure_space(questions, contexts)
    vectors = np.vstack([questions, contexts]).astype(np.float64)
    pairs = list(itertools.combinations(vectors, 2))
    gaps = [float(np.linalg.norm(one - other)) for one, other in pairs]
    assert space.average_cosine == pytest.approx(np.mean([one @ other for one, other in pairs]))
    assert space.distance == pytest.approx(np.mean(gaps))
    assert space.uniformity == pytest.approx(np.log(np.mean([np.exp(-2 * g**2) for g in gaps])))
    assert space.alignment == pytest.approx(np.mean(((questions - contexts) ** 2).sum(axis=1)))
    assert space.utilisation == pytest.approx(np.mean([np.std(column) for column in vectors.T]))
    singular = np.linalg.svd(vectors, compute_uv=False)
    shares = singular / singular.sum()
    assert space.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert space.anisotropy == pytest.approx(singular[0] ** 2 / (singular**2).sum())
    assert (space.norm_mean, space.norm_std) == (pytest.approx(1), pytest.approx(0, abs=1e-6))


def test_all_directions_used_alike_is_the_bound_and_one_point_is_collapse() -> None:
    axes = np.eye(4, dtype=np.float32)
    even = measure_space(axes, -axes)
    assert even.utilised_share == pytest.approx(1)
    assert even.effective_rank == pytest.approx(4)
    assert even.anisotropy == pytest.approx(1 / 4)
    point = measure_space(axes[[0, 0]], axes[[0, 0]])
    assert (point.average_cosine, point.distance, point.alignment) == (1, 0, 0)
    assert (point.utilisation, point.uniformity) == (0, 0)
    assert point.effective_rank == pytest.approx(1)


def test_the_sample_is_seeded_and_keeps_questions_with_their_contexts() -> None:
    rows = [QaRow(str(i), f"q{i}", "", f"c{i}" if i else " ", "", "") for i in range(50)]
    questions, contexts = sample_pairs(rows, 20, seed=0)
    assert len(questions) == 10
    assert [text[1:] for text in questions] == [text[1:] for text in contexts]
    assert sample_pairs(rows, 20, seed=0) == (questions, contexts)
    assert sample_pairs(rows, 20, seed=1) != (questions, contexts)
    assert len(sample_pairs(rows, 2000, seed=0)[0]) == 49
    with pytest.raises(DataError, match="too few"):
        sample_pairs(rows, 3, seed=0)
    with pytest.raises(DataError, match="Fewer than two"):
        sample_pairs(rows[:2], 20, seed=0)


def scores_of(synonym: list[float], unrelated: list[float]) -> ProbeScores:
    cosines = {"synonym": np.array(synonym), "unrelated": np.array(unrelated)}
    return ProbeScores(64, cosines | {"related": np.array([0.5])}, {"p": 0.5})


def test_auc_counts_pairs_in_order_and_ties_by_half() -> None:
    found = auc(scores_of([0.9, 0.5, 0.1], [0.5, 0.2]), "synonym", "unrelated")
    assert found.value == pytest.approx((2 + 1.5 + 0) / 6)
    assert found.low < found.value < found.high
    perfect = auc(scores_of([0.9, 0.8], [0.1, 0.2]), "synonym", "unrelated")
    assert (perfect.value, perfect.low, perfect.high) == (1, 1, 1)
    assert scores_of([1], [0.1, 0.2, 0.6, 0.7]).above_unrelated("p") == 0.5


def test_the_gain_is_paired() -> None:
    """The same cosines plus a constant keep their order: no gain and no spread of it."""
    base = scores_of([0.9, 0.5, 0.1], [0.5, 0.2])
    raised = scores_of([0.95, 0.55, 0.15], [0.55, 0.25])
    same = auc_gain(base, raised, "synonym", "unrelated")
    assert (same.value, same.low, same.high) == (0, 0, 0)
    better = auc_gain(base, scores_of([0.9, 0.8, 0.7], [0.1, 0.2]), "synonym", "unrelated")
    assert better.value == pytest.approx(1 - 3.5 / 6)
    with pytest.raises(DataError, match="different pairs"):
        auc_gain(base, scores_of([1.0], [0.2]), "synonym", "unrelated")


def test_the_probes_are_many_and_no_pair_is_of_two_kinds() -> None:
    probes = load_probes()
    pairs = [frozenset(pair) for kind in KINDS for pair in probes.pairs[kind]]
    assert len(pairs) == len(set(pairs)) >= 90
    assert [row.cosine for row in probes.published] == [0.835, 0.614, 0.615]


def test_the_default_model_puts_synonyms_above_unrelated_terms(minilm: Embedder) -> None:
    wide, narrow = score_probes(minilm, load_probes(), [384, 64])
    assert auc(wide, "synonym", "unrelated").low > 0.8
    assert auc(narrow, "synonym", "unrelated").low > 0.75
    assert wide.published["revenue ~ sales"] > wide.published["revenue ~ employees"]
    swapped = load_probes().pairs
    assert len(wide.cosines["related"]) == len(swapped["related"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[pairs", "is not a file of probes"),
        ("published = []\n[pairs]\nsynonym = [['a']]", "not a pair of texts"),
        ("published = []\n[pairs]\nsynonym = []\nrelated = []\nunrelated = []", "without pairs"),
    ],
)
def test_a_bad_file_of_probes_is_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "p.toml").write_text(content)
    with pytest.raises(DataError, match=message):
        load_probes(tmp_path / "p.toml")


def test_the_general_set_is_large_enough_and_says_nothing_twice(tmp_path: Path) -> None:
    evalset = general_set(tmp_path)
    assert len(evalset.queries) >= 60
    assert len(evalset.corpus) >= 150
    assert len(set(evalset.corpus.values())) == len(evalset.corpus)
    assert len(set(evalset.queries.values())) == len(evalset.queries)
    topics = {passage_id.rpartition("-")[0] for passage_id in evalset.corpus}
    assert len(topics) == 7


def test_what_is_kept_stands_beside_the_base() -> None:
    rows = what_is_kept(make_report("tuned", 0.1), make_report("base", 0.2, systems=("128",)))
    assert [(row.dim, row.base is None) for row in rows] == [(128, False), (64, True)]
    assert rows[0].difference is not None
    assert rows[0].difference.mean == pytest.approx(-0.1)
    assert [row.base for row in what_is_kept(make_report("tuned", 0.1), None)] == [None, None]


def write_nano(folder: Path) -> Path:
    """A data set of the hub's layout: three parts, a split a set."""
    parts = {
        "corpus": [{"_id": "d1", "text": "one"}, {"_id": "d2", "text": ""}],
        "queries": [{"_id": "q1", "text": "which?"}, {"_id": "q2", "text": "unasked"}],
        "qrels": [{"query-id": "q1", "corpus-id": "d1"}],
    }
    configs = ["---", "configs:"]
    for part, rows in parts.items():
        (folder / f"{part}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        configs += [f"- config_name: {part}", "  data_files:"]
        configs += ["  - split: NanoMSMARCO", f"    path: {part}.jsonl"]
    (folder / "README.md").write_text("\n".join([*configs, "---", ""]))
    return folder


def test_nanobeir_is_read_as_the_hub_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "NANO_HUB", str(write_nano(tmp_path)))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    evalset = nano_set("msmarco")
    assert evalset.queries == {"q1": "which?"}
    assert evalset.corpus == {"d1": "one"}
    assert evalset.qrels == {"q1": {"d1": 1}}


def test_nanobeir_without_a_network_or_by_a_wrong_name_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["quality", "--model", "minilm", "--nanobeir", "nq"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: NanoBEIR's nq could not be fetched from the hub")
    assert "leave out --nanobeir" in error
    assert main(["quality", "--model", "minilm", "--nanobeir", "nope"]) == 2
    assert "NanoBEIR has no set nope" in capsys.readouterr().err


def test_quality_prints_base_beside_tuned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "home/models"
    models.mkdir(parents=True)
    shutil.copytree(build_tiny_model(tmp_path), models / "tiny")
    shutil.copytree(models / "tiny", models / "tuned")
    record = {"config": {"base": "tiny"}}
    (models / "tuned/train_config.json").write_text(json.dumps(record))
    data = write_rows(tmp_path / "qa.csv")
    assert main(["quality", "--model", "tuned", "--data", str(data), "--texts", "40"]) == 0
    out = capsys.readouterr().out
    assert "The space, over 20 questions of qa.csv and their contexts:" in out
    lines = out.split("\n")
    assert [line.split(" | ")[1] for line in lines if line.startswith("| 128 |")][:2] == [
        "tiny",
        "tuned",
    ]
    assert sum(line.startswith("| beir general | 118 | 154 |") for line in lines) == 2
    command = ["quality", "--model", "tiny", "--dims", "64", "--probes", str(PROBES), "--json"]
    assert main(command) == 0
    alone = json.loads(capsys.readouterr().out)
    assert alone["base"] is None
    assert alone["measured_on"].endswith("of the general set and their passages")
    assert [row["dim"] for row in alone["forgetting"]] == [64]
    assert len(alone["tuned"]["probes"][0]["cosines"]["synonym"]) == 40
    # The same weights under two names: nothing is gained and nothing lost.
    assert main(["quality", "--model", "tuned", "--against", "tiny", "--json"]) == 0
    pair = json.loads(capsys.readouterr().out)
    assert {row["difference"]["mean"] for row in pair["forgetting"]} == {0}
