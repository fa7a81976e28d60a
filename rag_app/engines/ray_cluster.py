"""Encoding on a Ray cluster: Ray Data actors with a model each; this process alone stores."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rag_app.errors import ModelError, RagError
from rag_app.index.build import Progress
from rag_app.index.embedder import Embedder
from rag_app.index.models import ModelSpec
from rag_app.index.vectors import save_vectors
from rag_app.library import Library

PASS_CHARACTERS = 500_000_000
"""Of passages on their way at once: about 400,000 chunks. What is more waits for the next pass."""
MODEL_SUFFIXES = {".json", ".txt", ".model", ".safetensors"}
"""What is sent of a model's folder: weights as safetensors, configuration, vocabulary; no code."""

Files = dict[str, bytes]
Row = dict[str, Any]


def check_ray() -> None:
    """Hold Ray to be there.

    Raises:
        RagError: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise RagError(
            "The engine ray is not installed; run "
            "`.venv/bin/pip install -c constraints.txt -e '.[ray]'`."
        )


def encode_missing_on_ray(library: Library, embedder: Embedder, on_progress: Progress) -> int:
    """Encode, filing by filing, what this model has not encoded; returns the number of chunks.

    Each filing is one row that one actor encodes as the local engine does, with the same encoder,
    so the vectors are the same. Ray gives the row of a lost actor to another; what a lost cluster
    left undone is done in another pass, as long as passes get on. A killed run keeps what it
    stored.

    Raises:
        RagError: the cluster cannot be used.
        ModelError: the model does not load there, or reads less than a chunk.
        LibraryError: vectors cannot be stored.
    """
    from ray.exceptions import RayError

    encoded = 0
    with _cluster():
        while waiting := _waiting(library, embedder.spec):
            filings, failure = 0, None
            try:
                for row in _encoded(waiting, embedder):
                    encoded += _store(library, embedder.spec, row, on_progress)
                    filings += 1
            except RayError as error:
                failure = error
            if not filings:
                raise RagError(
                    f"The Ray cluster gave nothing back ({type(failure).__name__}); see "
                    "`ray status` and run the command again: what was encoded is kept."
                ) from failure
    return encoded


def _waiting(library: Library, spec: ModelSpec) -> list[Row]:
    """A row a filing without vectors, with its passages: as many as one pass takes."""
    from rag_app.filings.chunks import passage_text

    rows: list[Row] = []
    characters = 0
    for key, version in library.versions().items():
        if library.vectors_path(key, version, spec.fingerprint).exists():
            continue
        chunks = library.chunks(key, version)
        texts = [passage_text(node) for node in chunks.values()]
        rows.append({"key": key, "version": version, "ids": list(chunks), "texts": texts})
        characters += sum(map(len, texts))
        if characters > PASS_CHARACTERS:
            break
    return rows


def _encoded(rows: list[Row], embedder: Embedder) -> Iterator[Row]:
    """The rows with their vectors, in the order in which actors finish them."""
    import ray
    from ray.data import ActorPoolStrategy, from_items

    model = _files(embedder.spec.folder)
    adapter = _files(embedder.spec.adapter) if embedder.spec.adapter else None
    sent = ray.put((model, adapter))  # once to each node
    actors = max(1, min(len(rows), int(ray.cluster_resources().get("CPU", 1))))
    done = from_items(rows, override_num_blocks=len(rows)).map(
        FilingEncoder,
        fn_constructor_args=(embedder.spec, embedder.encoder.name, partial(ray.get, sent)),
        # All at once: with a filing at a time Ray never finds a pool busy enough to add to it.
        compute=ActorPoolStrategy(
            min_size=1, initial_size=actors, max_size=actors, max_tasks_in_flight_per_actor=1
        ),
        num_cpus=1,
    )
    yield from done.iter_rows()


class FilingEncoder:
    """What an actor is: one model, which came with the task and not from the actor's own disk."""

    def __init__(
        self, spec: ModelSpec, encoder: str, fetch: Callable[[], tuple[Files, Files | None]]
    ) -> None:
        model, adapter = fetch()
        self._folder = tempfile.TemporaryDirectory()
        home = Path(self._folder.name)
        here = dataclasses.replace(
            spec,
            folder=_unpack(model, home / "model"),
            adapter=_unpack(adapter, home / "adapter") if adapter else None,
        )
        self._embedder = Embedder(here, encoder=encoder, cache=home / "cache")

    def __call__(self, row: Row) -> Row:
        """Encode one filing's passages; a ``RagError`` travels as its sentence."""
        done = {"key": row["key"], "version": row["version"], "ids": row["ids"]}
        texts = list(row["texts"])
        try:
            self._embedder.check_fits(texts)
            vectors = self._embedder.encode_documents(texts)
        except RagError as error:
            return {**done, "vectors": b"", "error": str(error)}
        return {**done, "vectors": vectors.tobytes(), "error": ""}


def _store(library: Library, spec: ModelSpec, row: Row, on_progress: Progress) -> int:
    if row["error"]:
        raise ModelError(row["error"])
    ids = list(row["ids"])
    vectors = np.frombuffer(row["vectors"], np.float32).reshape(len(ids), spec.width)
    save_vectors(library.vectors_path(row["key"], row["version"], spec.fingerprint), ids, vectors)
    on_progress(len(ids))
    return len(ids)


@contextmanager
def _cluster() -> Iterator[None]:
    """Join the cluster that runs here or that RAY_ADDRESS names, or start one of this machine.

    Raises:
        RagError: the cluster that is named does not answer, or none starts here in 30 seconds.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray reports home otherwise
    # Of 40 seconds each, by default 20: so long it asks for a cluster whose head was killed.
    os.environ["RAY_NUM_REDIS_GET_RETRIES"] = "2"
    # It warns that an actor's arguments lie with this process, without which nothing goes on.
    os.environ["RAY_BACKEND_LOG_LEVEL"] = "fatal"
    import ray
    from ray.data import DataContext

    joined = not ray.is_initialized()
    try:
        if joined:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray has no class of its own for a cluster that does not start
        raise RagError(
            f"Ray neither answers nor starts ({type(error).__name__}); look at `ray status`, set "
            "RAY_AUTH_MODE=token if the cluster has a token, start a cluster with `ray start "
            "--head`, or run `ray stop` and unset RAY_ADDRESS to use this machine alone."
        ) from error
    context = DataContext.get_current()
    context.enable_progress_bars = False  # ours is on the screen
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        if joined:
            ray.shutdown()


def _files(folder: Path) -> Files:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in MODEL_SUFFIXES
    }


def _unpack(files: Files, folder: Path) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
