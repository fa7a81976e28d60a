"""Engines that encode what has no vectors yet: this process, or a cluster."""

from __future__ import annotations

from collections.abc import Callable

from rag_app.engines.ray_cluster import check_ray, encode_missing_on_ray
from rag_app.errors import RagError
from rag_app.index.build import Progress, encode_missing
from rag_app.index.embedder import Embedder
from rag_app.library import Library

Engine = Callable[[Library, Embedder, Progress], int]
"""Stores the vectors of every filing that has none, and returns how many chunks it encoded; the
writer's lock is held around it."""

LOCAL = "local"
ENGINES: dict[str, tuple[Engine, Callable[[], None]]] = {
    LOCAL: (encode_missing, lambda: None),
    "ray": (encode_missing_on_ray, check_ray),
}
"""An engine's name: what encodes, and what refuses at once where it cannot run."""


def find_engine(name: str) -> Engine:
    """The engine of a name.

    Raises:
        RagError: there is no such engine, or it is not installed.
    """
    if name not in ENGINES:
        raise RagError(f"There is no engine {name}; choose one of {', '.join(ENGINES)}.")
    encode, check = ENGINES[name]
    check()
    return encode
