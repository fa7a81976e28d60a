"""Too little memory for a training run, said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rag_app.errors import TrainingError


@contextmanager
def memory_told(device: str, advice: str) -> Iterator[None]:
    """Turn a failed allocation into one sentence that ends with ``advice``.

    Raises:
        TrainingError: the memory of the device, or the machine's, is too little.
    """
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_memory(error):
            raise
        raise TrainingError(
            f"There is too little memory on {device} for this run; {advice}."
        ) from error


def _is_memory(error: BaseException) -> bool:
    """torch tells of a processor's memory in a plain RuntimeError."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "alloc" in str(error).lower() or "out of memory" in str(error).lower()
