"""Low-rank matrices to an adapter's folder, as ``rag_app.index.adapter`` reads it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.index.adapter import ADAPTER_FILE, ADAPTER_RECORD, Adapter
from rag_app.index.models import ModelSpec
from rag_app.sums import file_sum

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
        base_sha256=file_sum(base.folder / "model.safetensors").sha256,
        sha256=file_sum(weights).sha256,
        scale=scale,
        dims=dims,
        query_prompt=base.query_prompt,
        document_prompt=base.document_prompt,
    )
    record = json.dumps(dataclasses.asdict(adapter), indent=2)
    (folder / ADAPTER_RECORD).write_text(f"{record}\n", "utf-8")
