"""The numeric recipe on a two-layer BERT: data, loss, folder, app, eval."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from tiny import write_filing
from tiny_finqa import record, write_parts

from eval.evalset import EvalSet
from eval.retrieval import evaluate, score
from finetune.config import load_config
from finetune.hardware import Hardware
from finetune.numeric import FIGURES_FILE, TunedNumeric, finetune_numeric, numeric_objective
from finetune.numeric_config import NumericConfig, load_numeric_config
from finetune.numeric_data import NumericData, load_numeric_data
from finetune.numeric_model import NumericModel
from finetune.pipeline import finetune
from finetune.search import Range, load_space
from rag_app.errors import DataError, ModelError, TrainingError
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec, resolve_model
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.ingest import ingest
from rag_app.library import Library

CPU = Hardware("cpu", bf16=False, tf32=False)
WIDTH, DIMS = 32, (16, 8)
TEXTS = [
    "Question: what share of sales is unit 60? Context: page 60 .\n | units\nrow 60 | 60",
    "Question: how many units 61? Context: page 61 .\n | units\nrow 61 | 61",
]


@pytest.fixture(scope="module")
def base(minilm: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT, no dropout, mean pooling, and prompts of its own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, set_seed

    set_seed(5)
    config = BertConfig(
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    folder = tmp_path_factory.mktemp("base")
    BertModel(config).save_pretrained(folder / "bert")
    minilm.model.tokenizer.save_pretrained(folder / "bert")
    prompts = {"query": "ask: ", "document": "read: "}
    modules = [Transformer(str(folder / "bert"), max_seq_length=64), Pooling(WIDTH)]
    SentenceTransformer(modules=modules, prompts=prompts).save_pretrained(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 to train, 12 dev, 16 test; one yes, and two that leak from train into dev and test."""
    folder = tmp_path_factory.mktemp("finqa")
    yes = record(90)
    yes["qa"]["exe_ans"] = "yes"  # type: ignore[index]
    leaks = [record(91, page=50), record(92, question="What  share of sales is unit 64?")]
    return write_parts(folder, train=48, dev=12, test=16, more=(yes, *leaks))


def settings(base: Path, data_folder: Path, **changes: object) -> NumericConfig:
    values = {
        "base": str(base),
        "data": str(data_folder),
        "dims": DIMS,
        "batch_size": 8,
        "epochs": 3,
        "head_learning_rate": 0.02,
        "learning_rate": 1e-3,
    }
    return load_numeric_config(values | changes)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def tuned(base: Path, data_folder: Path, home: Path) -> TunedNumeric:
    """Trained with both terms."""
    config = settings(base, data_folder, contrastive_weight=0.5, epochs=6, head_learning_rate=0.1)
    said: list[str] = []
    tuned = finetune_numeric(config, home, "heads", say=said.append)
    assert said[0].startswith("FinQA: 48 questions to train, 12 to choose the epoch, 16 to test.")
    return tuned


@pytest.fixture(scope="module")
def model(tuned: TunedNumeric, home: Path) -> NumericModel:
    return NumericModel.load("heads", home)


def test_the_recipe_has_the_published_numbers() -> None:
    config = load_numeric_config({})

    assert (config.base, config.dims, config.epochs) == (
        "nomic-ai/nomic-embed-text-v1.5",
        (256, 128, 64),
        5,
    )
    assert (config.starts, config.contrastive_weight) == ((0, 256, 384), 0.0)
    space = load_space("numeric")
    assert space["learning_rate"] == Range(1e-6, 1e-3, log=True)
    assert space["weight_decay"] == Range(0.0, 0.1, log=False)
    assert space["temperature"] == Range(0.05, 0.2, log=False)
    assert (space["batch_size"], space["accumulation_steps"]) == ((4, 8, 16), (1, 2, 4))
    assert all(hasattr(config, field) for field in space)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"epochs": 0}, "`epochs` of the command line is wrong"),
        ({"colour": "red"}, "`colour` of the command line is wrong"),
        ({"dims": (64, 128)}, "`dims` must name each dimension once, the widest first"),
        ({"dims": (64, 64)}, "`dims` must name each dimension once, the widest first"),
        ({"numeric_weight": 0}, "nothing would be learnt"),
    ],
)
def test_wrong_settings_are_refused(overrides: dict[str, object], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        load_numeric_config(overrides)


def test_parts_share_no_page_and_no_question(base: Path, data_folder: Path) -> None:
    data = load_numeric_data(settings(base, data_folder))

    assert (data.not_numbers, data.leaked) == (1, 2)
    assert len(data.train.texts) == 48
    assert (
        data.train.texts[3] == "Question: how many units 3? Context: page 3 .\n | units\nrow 3 | 3"
    )
    assert data.train.passages[3] == "page 3 ."
    z = data.z(data.train)
    assert (z.mean(), z.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))


def test_dev_is_held_out_by_page_where_no_file_is_named(base: Path, data_folder: Path) -> None:
    config = settings(base, data_folder, dev=(), train=("train.json", "dev.json"), dev_share=0.25)
    data = load_numeric_data(config)

    train, dev = (set(part.pages.values()) for part in (data.train, data.dev))
    assert (len(dev), len(train & dev)) == (15, 0)
    assert load_numeric_data(config).dev == data.dev


def test_a_part_without_numbers_is_refused(base: Path, data_folder: Path, tmp_path: Path) -> None:
    yes = record(1)
    yes["qa"]["exe_ans"] = "no"  # type: ignore[index]
    (tmp_path / "yes.json").write_text(json.dumps([yes]), "utf-8")

    with pytest.raises(DataError, match="No question with a number is left in the test part"):
        load_numeric_data(settings(base, data_folder, test=(str(tmp_path / "yes.json"),)))


def test_heads_learn_what_the_words_tell(tuned: TunedNumeric) -> None:
    """A share or thousands of units: far nearer than the mean, which is wrong by a deviation."""
    rows = json.loads((tuned.folder / FIGURES_FILE).read_text("utf-8"))["rows"]
    errors = {(row["name"], row["dim"]): row["scores"]["mae_z"] for row in rows}

    assert errors.keys() == {("mean", None), ("ridge", WIDTH), ("head", 16), ("head", 8)}
    assert errors["head", 16] < errors["mean", None] / 2
    assert errors["head", 8] < errors["mean", None] / 2
    assert tuned.table.count("\n| head |") == 2
    run = json.loads((tuned.folder / "train_config.json").read_text("utf-8"))["run"]
    first, last = run["epochs"][0], run["epochs"][-1]
    assert last["train_loss"] < first["train_loss"]
    assert all(epoch["dev_contrastive"] > 0 for epoch in run["epochs"])
    assert (tuned.folder / "README.md").read_text("utf-8").startswith("---\nlibrary_name")


def test_texts_give_a_unit_embedding_a_dimension_and_numbers(model: NumericModel) -> None:
    said = model.predict(TEXTS)

    for dim in DIMS:
        assert said.embeddings[dim].shape == (2, dim)
        assert np.linalg.norm(said.embeddings[dim], axis=1) == pytest.approx([1, 1])
        assert said.answers[dim] == pytest.approx(model.scaling.unscale(said.z[dim]))
    assert abs(said.answers[16][0]) < 20 < said.answers[16][1]


def test_the_folder_opens_with_plain_sentence_transformers(
    tuned: TunedNumeric, model: NumericModel
) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(tuned.folder)).encode_document(TEXTS)
    assert plain.shape == (2, 24)
    for dim, start in ((16, 0), (8, 16)):
        block = plain[:, start : start + dim]
        unit = block / np.linalg.norm(block, axis=1, keepdims=True)
        assert model.predict(TEXTS).embeddings[dim] == pytest.approx(unit, abs=1e-5)
    files = {path.name for path in tuned.folder.rglob("*") if path.is_file()}
    assert not any(name.endswith((".py", ".bin", ".pt", ".pkl")) for name in files)


def test_the_written_model_is_dev_s_best_epoch(
    base: Path, data_folder: Path, tuned: TunedNumeric, model: NumericModel
) -> None:
    from eval.numeric import huber

    data = load_numeric_data(settings(base, data_folder))
    run = json.loads((tuned.folder / "train_config.json").read_text("utf-8"))["run"]
    losses = [epoch["dev_loss"] for epoch in run["epochs"]]
    z = model.predict(data.dev.texts).z

    assert run["best_epoch"] == losses.index(min(losses)) + 1
    again = np.mean([huber(z[dim], data.z(data.dev)) for dim in DIMS])
    kept = run["epochs"][run["best_epoch"] - 1]["dev_huber"]
    # Training may run in bf16.
    assert again == pytest.approx(kept, rel=0.05)


def test_the_app_serves_each_dimension_from_its_own_projection(
    tuned: TunedNumeric, model: NumericModel, home: Path, tmp_path: Path
) -> None:
    spec = resolve_model("heads", home)
    assert (spec.dims, spec.starts, spec.check_dim(None)) == (DIMS, (0, 16), 16)
    library = Library(tmp_path / "library")
    filing = write_filing(tmp_path / "tiny.html")
    assert not ingest([filing], library, Embedder(spec), 8, max_file_mb=5).refused

    for dim in DIMS:
        snapshot = open_snapshot(library, Embedder(spec), dim)
        question = "What would a shortage of copper raise?"
        hits = FilingsRetriever(snapshot, k=3, lexical=False, rescore=False).retrieve(question)
        ids, vectors = snapshot.vectors_of(list(library.versions()))
        query = (
            model.embedder.encode_queries([question])[:, :16]
            if dim == 16
            else (model.embedder.encode_queries([question])[:, 16:])
        )
        cosines = (vectors @ query[0]) / np.linalg.norm(query[0])
        assert vectors.shape[1] == dim
        assert hits[0].metadata["cosine"] == pytest.approx(float(cosines.max()), abs=2e-4)
        assert hits[0].node_id == ids[int(cosines.argmax())]


def test_eval_scores_each_projection(model: NumericModel) -> None:
    passages = {str(number): f"row {number} | {number * 7}" for number in range(30)}
    evalset = EvalSet(
        name="rows",
        queries={id_: f"what stands in row {id_}?" for id_ in passages},
        corpus=passages,
        qrels={id_: {id_: 1} for id_ in passages},
        groups=dict.fromkeys(passages, "QP"),
    )
    report = evaluate(model.embedder, evalset, DIMS)

    ids = list(passages)
    queries = model.embedder.encode_queries(list(evalset.queries.values()))[:, 16:]
    corpus = model.embedder.encode_documents(list(passages.values()))[:, 16:]
    assert report.per_query["8"] == score(queries, corpus, ids, ids, evalset, [8])["8"]


def test_questions_of_one_page_are_no_negatives_of_each_other(
    base: Path, data_folder: Path
) -> None:
    """With nothing but a page's own passages in the batch, there is nothing to be wrong about."""
    learner, data = _learner(base, data_folder, contrastive_weight=1.0)
    twin = dataclasses.replace(data.train.examples[1], page=data.train.examples[0].page)
    part = dataclasses.replace(data.train, examples=(data.train.examples[0], twin))

    z = data.z(data.train)
    assert learner.loss(part, z, [0, 1]).contrastive.item() == pytest.approx(0, abs=1e-6)
    assert learner.loss(data.train, z, [0, 1]).contrastive.item() > 0.05


def _learner(base: Path, data_folder: Path, **changes: object):  # type: ignore[no-untyped-def]
    from finetune.heads import RegressionHeads, add_projections
    from finetune.numeric_loss import Learner

    config = settings(base, data_folder, **changes)
    spec = resolve_model(str(base), Path("nowhere"))
    projected = add_projections(Embedder(spec).model, config.dims, config.max_tokens)
    heads = RegressionHeads(config.dims)
    return Learner(projected, heads, spec, config, CPU), load_numeric_data(config)


def test_untrained_heads_say_the_training_mean(base: Path, data_folder: Path) -> None:
    from eval.numeric import huber

    learner, data = _learner(base, data_folder)
    z = data.z(data.dev)

    assert learner.mean_losses(data.dev, z)[0] == pytest.approx(huber(np.zeros(12), z))


def test_accumulated_batches_train_as_one_batch_does(base: Path, data_folder: Path) -> None:
    spec, data = _spec(base), load_numeric_data(settings(base, data_folder))
    losses = []
    for batch_size, accumulation in ((16, 1), (8, 2)):
        config = settings(
            base, data_folder, batch_size=batch_size, accumulation_steps=accumulation, epochs=2
        )
        losses.append(_train(spec, data, config)[-1].dev_huber)

    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def _spec(base: Path) -> ModelSpec:
    return resolve_model(str(base), Path("nowhere"))


def _train(spec: ModelSpec, data: NumericData, config: NumericConfig):  # type: ignore[no-untyped-def]
    from finetune.numeric_train import train_numeric

    return train_numeric(spec, data, config, CPU).epochs


def test_an_epoch_that_is_worse_is_not_kept(base: Path, data_folder: Path) -> None:
    """The rates rise to the end, far too high: dev's loss explodes after the first epoch."""
    from finetune.numeric_loss import Learner
    from finetune.numeric_train import train_numeric

    config = settings(base, data_folder, warmup_share=0.95, head_learning_rate=3.0)
    data = load_numeric_data(config)
    trained = train_numeric(_spec(base), data, config, CPU)

    losses = [epoch.dev_huber for epoch in trained.epochs]
    assert trained.best == losses.index(min(losses)) + 1 < len(losses)
    learner = Learner(trained.model, trained.heads, _spec(base), config, CPU)
    again, _ = learner.mean_losses(data.dev, data.z(data.dev))
    assert again == pytest.approx(min(losses), abs=1e-6)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(base: Path, data_folder: Path) -> None:
    config = settings(base, data_folder, learning_rate=1e30, max_grad_norm=1e30)
    data = load_numeric_data(config)

    with pytest.raises(TrainingError, match=r"batch \d of epoch 1 \(questions QP/20"):
        _train(_spec(base), data, config)


def test_a_step_limit_ends_within_an_epoch(base: Path, data_folder: Path) -> None:
    config = settings(base, data_folder, max_steps=7)
    epochs = _train(_spec(base), load_numeric_data(config), config)

    assert [epoch.number for epoch in epochs] == [1, 2]


def test_a_sweep_is_judged_on_dev_and_told_each_epoch(
    base: Path, data_folder: Path, home: Path
) -> None:
    objective = numeric_objective(settings(base, data_folder, epochs=2), home)
    reported: list[tuple[int, float]] = []

    best = objective.run(
        {"learning_rate": 5e-4, "batch_size": 16},
        lambda number, value: reported.append((number, value)),
    )

    assert objective.direction == "minimize"
    assert [number for number, _ in reported] == [1, 2]
    assert best == min(value for _, value in reported)
    json.dumps(objective.about)


def test_the_published_architecture_opens_without_remote_code(
    minilm: Embedder, tmp_path: Path
) -> None:
    """A small NomicBert whose folder asks for code of its own, as the published one does."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import NomicBertConfig, NomicBertModel

    from finetune.heads import add_projections

    config = NomicBertConfig(
        hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    NomicBertModel(config).save_pretrained(tmp_path / "bert")
    minilm.model.tokenizer.save_pretrained(tmp_path / "bert")
    modules = [Transformer(str(tmp_path / "bert")), Pooling(WIDTH)]
    folder = tmp_path / "nomic-embed-text-v1.5"
    SentenceTransformer(modules=modules).save_pretrained(str(folder))
    record = json.loads((folder / "config.json").read_text("utf-8"))
    record["auto_map"] = {"AutoModel": "nomic-ai/nomic-bert-2048--modeling.NomicBertModel"}
    (folder / "config.json").write_text(json.dumps(record), "utf-8")

    spec = resolve_model(str(folder), tmp_path)
    model = add_projections(Embedder(spec).model, DIMS, 32)

    assert (spec.query_prompt, spec.document_prompt) == ("search_query: ", "search_document: ")
    assert model.max_seq_length == 32
    with torch.no_grad():
        assert model(model.preprocess(TEXTS))["sentence_embedding"].shape == (2, 24)


def test_a_model_without_heads_has_no_numbers(base: Path) -> None:
    with pytest.raises(ModelError, match=r"has no usable numeric_heads.safetensors"):
        NumericModel.of(_spec(base))


def test_starts_that_do_not_fit_the_dimensions_are_refused(
    tuned: TunedNumeric, tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tuned.folder, copy)
    spec = resolve_model(str(copy), tmp_path)
    (copy / "matryoshka.json").write_text(json.dumps({"dims": [16, 8], "starts": [8, 0]}))
    assert resolve_model(str(copy), tmp_path).fingerprint != spec.fingerprint
    (copy / "matryoshka.json").write_text(json.dumps({"dims": [16, 8], "starts": [0]}))
    with pytest.raises(ModelError, match="names other dims than starts"):
        resolve_model(str(copy), tmp_path)


def test_a_numeric_model_is_no_base_of_a_contrastive_recipe(
    tuned: TunedNumeric, home: Path, tmp_path: Path
) -> None:
    data = tmp_path / "qa.csv"
    lines = [f"What of {n}?,a,Passage {n} of it,T{n % 5},2023_10K" for n in range(40)]
    data.write_text("\n".join(["question,answer,context,ticker,filing", *lines]), "utf-8")
    config = load_config("ours", {"data": str(data), "base": str(tuned.folder), "split": "context"})
    with pytest.raises(TrainingError, match="it is no Matryoshka base"):
        finetune(config, home, "wrong", say=lambda sentence: None)
