"""Low-rank matrices to an adapter's folder, as ``rag_app.index.adapter`` reads it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.index.adapter import ADAPTER_FILE, ADAPTER_RECORD, Adapter
from rag_app.index.models import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor


def save_adapter(
    folder: Path, base: ModelSpec, matrices: dict[str, Tensor], scale: float, dims: tuple[int, ...]
) -> None:
    """Write ``adapter.safetensors`` and its record into ``folder``.

    ``matrices`` are named as ``ADAPTER_FILE`` says; a weight W becomes W + ``scale`` · B · A. They
    are stored in half precision, so round them before they are merged elsewhere.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / ADAPTER_FILE
    halves = {name: tensor.to(torch.float16).contiguous() for name, tensor in matrices.items()}
    save_file(halves, weights)
    adapter = Adapter(
        base=base.name,
        base_sha256=_sha256(base.folder / "model.safetensors"),
        sha256=_sha256(weights),
        scale=scale,
        dims=dims,
        query_prompt=base.query_prompt,
        document_prompt=base.document_prompt,
    )
    record = json.dumps(dataclasses.asdict(adapter), indent=2)
    (folder / ADAPTER_RECORD).write_text(f"{record}\n", "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
