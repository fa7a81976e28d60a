"""Converted models on disk: made once a model and version, checked when opened, never half there.

``cache/<encoder>-<fingerprint>/<key>/`` holds the encoder's files, ``tokenizer.json`` as the loaded
model had it, and ``converted.json``. It is a cache: any of it may be removed at any time.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import LibraryError, ModelError
from rag_app.index.models import ModelSpec
from rag_app.sealed import current, prune, sealing
from rag_app.sums import damaged_files

RECORD = "converted.json"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a conversion.

    ``precision`` is the one to compute in, ``cosine`` the smallest between its vectors and torch's
    over the probes. ``refused`` says why the model cannot be run so; it is empty where it can.
    """

    max_tokens: int | None = None
    pad_id: int = 0
    precision: str = ""
    cosine: float = 0.0
    refused: str = ""


Convert = Callable[[Path], Conversion]
"""Writes the converted model's files and its tokenizer into a folder."""


def open_conversion(
    cache: Path, encoder: str, version: str, spec: ModelSpec, convert: Convert
) -> tuple[Path, Conversion]:
    """The folder of a converted model and its record; converted now where there is none yet.

    A second process waits for the first one's conversion. A damaged one is made anew.

    Raises:
        ModelError: this model was refused, now or before.
        LibraryError: the disk is full or read-only.
    """
    root = cache / f"{encoder}-{spec.fingerprint}"
    key = _key(spec, version)
    found = _read(root, key)
    if found is None:
        try:
            root.mkdir(parents=True, exist_ok=True)
            lock = (root / "lock").open("a", encoding="utf-8")
        except OSError as error:
            raise LibraryError(
                f"{root} cannot be written ({error.strerror}); mend its permissions."
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = _read(root, key) or _convert(root, key, convert)
    folder, conversion = found
    if conversion.refused:
        raise ModelError(conversion.refused)
    return folder, conversion


def _convert(root: Path, key: str, convert: Convert) -> tuple[Path, Conversion]:
    with sealing(root, key) as part:
        conversion = convert(part)
        (part / RECORD).write_text(json.dumps(dataclasses.asdict(conversion), indent=2), "utf-8")
    prune(root, set())
    return root / key, conversion


def _read(root: Path, key: str) -> tuple[Path, Conversion] | None:
    try:
        folder = current(root)
        if folder is None or folder.name != key or damaged_files(folder, hashed=True):
            return None
        return folder, Conversion(**json.loads((folder / RECORD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # damaged: what is derived is derived anew


def _key(spec: ModelSpec, version: str) -> str:
    """Changes with the encoder's version and with what no fingerprint covers: the reading limit."""
    digest = hashlib.sha256(version.encode())
    for path in sorted(spec.folder.glob("*config*.json")):
        digest.update(path.read_bytes())
    return f"{version}-{digest.hexdigest()[:8]}"
