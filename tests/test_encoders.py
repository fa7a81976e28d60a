"""Encoders: the same vectors whoever computes them, converted once, and clear refusals."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from tiny_model import WIDTH, build_tiny_model

from rag_app.errors import ModelError
from rag_app.filings.chunks import passage_text
from rag_app.index import encoders
from rag_app.index.conversion import MIN_COSINE
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec, resolve_model
from rag_app.library import Library
from rag_app.sums import write_sums

QUESTION = "how many lamps did birch ship ?"
TEXTS = [
    QUESTION,
    "",
    "What was Larkspur's order backlog at the end of fiscal 2023?",
    "Net revenue | 2023: 26,974 | 2022: 26,914 | change (0.2)% | $ 1.5 billion " * 40,
    "売上高は前年同期比で増加しました。 Выручка выросла на 6 %. 收入增长 \U0001f4c8",
]
WITHOUT_TORCH = """
import json, sys
from pathlib import Path
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model
spec = resolve_model("minilm", Path("nowhere"))
embedder = Embedder(spec, encoder="openvino", cache=Path(sys.argv[1]))
vectors = embedder.encode_queries([sys.argv[2]])
embedder.check_fits(["short"])
heavy = ("torch", "sentence_transformers", "transformers")
loaded = [name for name in heavy if name in sys.modules]
print(json.dumps({"vector": vectors[0].tolist(), "loaded": loaded,
                  "telemetry": sys.modules.get("openvino_telemetry") is not None}))
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture(scope="session")
def converted(minilm: Embedder, cache: Path) -> Embedder:
    """The real default model, run by OpenVINO."""
    return Embedder(minilm.spec, encoder="openvino", cache=cache)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny"))


def smallest_cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float((one * other).sum(axis=1).min())


def spec_of(folder: Path, **prompts: str) -> ModelSpec:
    return resolve_model(str(folder), Path("nowhere"), **prompts)


def test_encoders_agree_on_chunks_and_questions(
    converted: Embedder, minilm: Embedder, sample_home: Path
) -> None:
    library = Library(sample_home)
    key, version = next(iter(library.versions().items()))
    chunks = [passage_text(chunk) for chunk in list(library.chunks(key, version).values())[:24]]
    texts = chunks + TEXTS
    vectors = converted.encode_documents(texts)
    assert converted.encoder.name == "openvino"
    assert smallest_cosine(vectors, minilm.encode_documents(texts)) >= MIN_COSINE
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert smallest_cosine(vectors, np.roll(vectors, 1, axis=0)) < 0.5
    assert smallest_cosine(converted.encode_queries(texts), vectors) >= MIN_COSINE


def test_a_second_start_needs_no_torch_and_tells_nobody(
    converted: Embedder, minilm: Embedder, cache: Path, tmp_path: Path
) -> None:
    converted.encode_queries(["convert"])
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(cache), TEXTS[2]],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
        cwd=Path(__file__).parent.parent,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["loaded"] == [] and not said["telemetry"]
    assert not (tmp_path / "intel").exists()
    assert float(minilm.encode_queries([TEXTS[2]])[0] @ np.array(said["vector"])) >= MIN_COSINE


def test_a_longer_text_than_the_model_reads_is_named(converted: Embedder) -> None:
    converted.check_fits([TEXTS[0]])
    with pytest.raises(ModelError, match=r"reads 256 tokens, and 1 chunks have up to 1\d\d\d"):
        converted.check_fits(TEXTS)


def test_threads_at_once_get_their_own_vectors(tiny_folder: Path, cache: Path) -> None:
    embedder = Embedder(spec_of(tiny_folder), encoder="openvino", cache=cache)
    texts = [f"how many {thing} did delta ship ?" for thing in ("lamps", "boots", "tents", "ovens")]
    alone = [embedder.encode_queries([text] * count) for count, text in enumerate(texts, 1)]
    wrong: list[str] = []

    def ask(place: int) -> None:
        for _ in range(20):
            if not np.allclose(
                embedder.encode_queries([texts[place]] * (place + 1)), alone[place], atol=1e-3
            ):
                wrong.append(texts[place])

    threads = [threading.Thread(target=ask, args=[number % 4]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert smallest_cosine(alone[0], alone[1][:1]) < 0.999


def with_dense(folder: Path, target: Path, *, include_prompt: bool = True) -> Path:
    """The tiny model with a projection to 32 behind its pooling, and a query prompt."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling

    torch.manual_seed(1)
    body = SentenceTransformer(str(folder), device="cpu")[0]
    pooling = Pooling(WIDTH, include_prompt=include_prompt)
    model = SentenceTransformer(
        modules=[body, pooling, Dense(WIDTH, 32), Normalize()],
        prompts={"query": "year lamps : ", "document": ""},
        device="cpu",
    )
    model.save_pretrained(str(target), create_model_card=False)
    return target


def test_prompts_and_further_layers_are_kept(tiny_folder: Path, tmp_path: Path) -> None:
    spec = spec_of(with_dense(tiny_folder, tmp_path / "dense"))
    assert (spec.width, spec.query_prompt) == (32, "year lamps : ")
    fast = Embedder(spec, encoder="openvino", cache=tmp_path / "cache")
    asked, held = fast.encode_queries(TEXTS), fast.encode_documents(TEXTS)
    plain = Embedder(spec)
    assert smallest_cosine(asked, plain.encode_queries(TEXTS)) >= MIN_COSINE
    assert smallest_cosine(held, plain.encode_documents(TEXTS)) >= MIN_COSINE
    assert smallest_cosine(asked, held) < 0.99


def test_a_model_that_cannot_be_converted_stays_with_torch(
    tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its pooling leaves the prompt's tokens out, of which a converted model knows nothing."""
    spec = spec_of(with_dense(tiny_folder, tmp_path / "odd", include_prompt=False))
    expected = Embedder(spec).encode_queries(TEXTS)
    with caplog.at_level(logging.WARNING):
        automatic = Embedder(spec, encoder="auto", cache=tmp_path / "cache")
        assert np.allclose(automatic.encode_queries(TEXTS), expected, atol=1e-5)
    assert automatic.encoder.name == "torch"
    notes = [record.getMessage() for record in caplog.records if "note:" in record.getMessage()]
    assert len(notes) == 1 and "OpenVINO does not give" in notes[0]

    def never() -> None:
        raise AssertionError("what was refused is not tried again")

    with pytest.raises(ModelError, match="OpenVINO does not give"):
        encoders.open_encoder("openvino", spec, tmp_path / "cache", never)  # type: ignore[arg-type]


def test_a_damaged_conversion_is_made_anew(tiny_folder: Path, tmp_path: Path) -> None:
    spec = spec_of(tiny_folder)
    before = Embedder(spec, encoder="openvino", cache=tmp_path).encode_queries(TEXTS)
    for name in ("model.bin", "converted.json"):
        (file,) = tmp_path.rglob(name)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 0x55
        file.write_bytes(data)
        again = Embedder(spec, encoder="openvino", cache=tmp_path)
        assert np.allclose(again.encode_queries(TEXTS), before, atol=1e-5)
        assert again._model is not None  # it was converted: the model was loaded
        assert len(list(tmp_path.glob("*/*/model.xml"))) == 1
    opened = Embedder(spec, encoder="openvino", cache=tmp_path)
    opened.encode_queries(["x"])
    assert opened._model is None


def test_a_conversion_that_this_processor_does_not_run_is_a_note(
    tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As OpenVINO of a machine without the instructions does, or without the memory."""
    spec = spec_of(tiny_folder)
    Embedder(spec, encoder="openvino", cache=tmp_path).encode_queries(["x"])
    (model,) = tmp_path.rglob("model.xml")
    model.write_text("<net/>")
    write_sums(model.parent)  # whole by its checksums
    with pytest.raises(ModelError, match=f"OpenVINO cannot run {spec.name}"):
        Embedder(spec, encoder="openvino", cache=tmp_path).encode_queries(["x"])
    with caplog.at_level(logging.WARNING):
        automatic = Embedder(spec, encoder="auto", cache=tmp_path)
        automatic.encode_queries(["x"])
    assert automatic.encoder.name == "torch"
    assert any("OpenVINO cannot run" in record.getMessage() for record in caplog.records)


def test_another_reading_limit_is_another_conversion(tiny_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    Embedder(spec_of(folder), encoder="openvino", cache=tmp_path / "c").encode_queries(["x"])
    config = folder / "tokenizer_config.json"
    values = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps(values | {"model_max_length": 16}), "utf-8")
    shorter = Embedder(spec_of(folder), encoder="openvino", cache=tmp_path / "c")
    assert shorter.encoder.max_tokens == Embedder(spec_of(folder)).encoder.max_tokens != 64
    assert (
        smallest_cosine(
            shorter.encode_documents(TEXTS), Embedder(spec_of(folder)).encode_documents(TEXTS)
        )
        >= MIN_COSINE
    )


def test_auto_takes_torch_where_nothing_faster_is(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(tiny_folder)
    assert Embedder(spec, encoder="auto").encoder.name == "torch"  # nowhere to keep it
    sign = tmp_path / "sign"
    sign.touch()
    with monkeypatch.context() as patch:
        patch.setattr(encoders, "ACCELERATOR_SIGNS", (sign,))
        patch.setattr("torch.accelerator.is_available", lambda: True)
        assert Embedder(spec, encoder="auto", cache=tmp_path).encoder.name == "torch"
    monkeypatch.setattr(encoders, "find_spec", lambda name: None)
    assert Embedder(spec, encoder="auto", cache=tmp_path).encoder.name == "torch"
    with pytest.raises(ModelError, match="run `pip install openvino`"):
        _ = Embedder(spec, encoder="openvino", cache=tmp_path).encoder


def test_a_folder_that_cannot_be_written_is_a_note(
    tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    embedder = Embedder(spec_of(tiny_folder), encoder="auto", cache=blocked / "cache")
    with caplog.at_level(logging.WARNING):
        embedder.encode_queries(["x"])
    assert embedder.encoder.name == "torch"
    assert any("cannot be written" in record.getMessage() for record in caplog.records)


def test_an_unknown_encoder_lists_the_known(minilm: Embedder) -> None:
    with pytest.raises(ModelError, match="choose one of auto, torch, openvino"):
        _ = Embedder(dataclasses.replace(minilm.spec), encoder="abacus").encoder


def test_opening_ahead_is_used_and_its_failure_waits_for_the_first_use(
    minilm: Embedder, capfd: pytest.CaptureFixture[str]
) -> None:
    embedder = Embedder(minilm.spec)
    embedder.open_soon()
    for thread in threading.enumerate():
        if thread.name == "encoder":
            thread.join()
    assert embedder._encoder is not None
    wrong = Embedder(minilm.spec, encoder="abacus")
    wrong.open_soon()
    with pytest.raises(ModelError, match="choose one of"):
        wrong.encode_queries(["x"])
    assert "Traceback" not in capfd.readouterr().err
