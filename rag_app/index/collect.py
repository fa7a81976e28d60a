"""`index --gc`: what no index, reader or model needs any more is found, named and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import IndexMismatch, ModelError
from rag_app.filing_files import VECTORS
from rag_app.index.build import index_root, used_versions
from rag_app.index.models import ModelSpec, known_models, resolve_model
from rag_app.index.passport import Passport
from rag_app.index.vector_sums import sum_path
from rag_app.library import Library
from rag_app.sealed import current, discard, prunable
from rag_app.settings import Settings


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing that was removed: what it was, where, and how many bytes that freed."""

    what: str
    path: Path
    bytes: int


def collect(
    library: Library,
    spec: ModelSpec,
    settings: Settings,
    on_removed: Callable[[Removed], None] = lambda removed: None,
) -> list[Removed]:
    """Remove replaced builds, indexes of models that are gone or have changed, and leftovers.

    The indexes of ``spec``, which is served, stay at every dimension; so does all that a reader
    holds. A filing's unused versions go last, once it is known which indexes stay. Hold the
    writer lock.

    Raises:
        LibraryError: a filing is damaged, so that nobody knows what it needs.
    """
    library.filings()
    removed: list[Removed] = []
    alive = _alive(library, spec, settings)
    # One after the other: an index that is gone leaves versions and vectors that nothing needs.
    finders: tuple[Callable[[], Iterator[tuple[str, Path]]], ...] = (
        lambda: _indexes(library, spec, alive),
        lambda: _leftovers(library.home),
        lambda: _versions(library),
        lambda: _vectors(library, alive),
    )
    for found in finders:
        for what, path in list(found()):
            size = freed(path)
            if discard(path):
                removed.append(Removed(what, path, size))
                on_removed(removed[-1])
    for root in (library.home / "index").glob("*-*"):
        if current(root) is None and not any(path.is_dir() for path in root.iterdir()):
            discard(root)
    for root in library.root.glob("*"):
        if root.is_dir() and not any(root.iterdir()):
            discard(root)
    library.dense.prune()
    return removed


def freed(path: Path) -> int:
    """The bytes that go when a file or folder is removed; a file linked elsewhere stays."""
    files = path.rglob("*") if path.is_dir() else [path]
    stats = [file.stat() for file in files if file.is_file()]
    return sum(stat.st_size for stat in stats if stat.st_nlink == 1)


def _alive(library: Library, spec: ModelSpec, settings: Settings) -> dict[str, str]:
    """Fingerprint to name of the models that are here, with the prompts of the settings or none."""
    alive = {spec.fingerprint: spec.name}
    for name in known_models(library.home):
        for prompts in ((settings.query_prompt, settings.document_prompt), (None, None)):
            try:
                known = resolve_model(
                    name, library.home, query_prompt=prompts[0], document_prompt=prompts[1]
                )
            except ModelError:  # damaged; it serves nobody
                continue
            alive[known.fingerprint] = name
    return alive


def _indexes(
    library: Library, spec: ModelSpec, alive: dict[str, str]
) -> Iterator[tuple[str, Path]]:
    served = {index_root(library.home, spec, dim) for dim in spec.dims}
    for root in sorted((library.home / "index").glob("*-*")):
        folder = current(root)
        gone = folder is not None and root not in served and _is_gone(folder, alive)
        for path in prunable(root, set()):
            what = "leftover of a killed build" if path.name.endswith(".part") else "replaced build"
            yield what, path
        if gone and folder is not None:
            yield "index of a model that is gone or has changed", folder


def _is_gone(folder: Path, alive: dict[str, str]) -> bool:
    """A model on the hub or in a folder elsewhere is here as long as nobody can say it is not."""
    try:
        passport = Passport.load(folder)
    except IndexMismatch:
        return True  # it serves nobody, and is derived again when asked for
    elsewhere = "/" in passport.model and passport.model not in alive.values()
    return passport.fingerprint not in alive and not elsewhere


def _leftovers(home: Path) -> Iterator[tuple[str, Path]]:
    """Half-written files and folders of killed processes; a whole one is renamed into place."""
    for top in ("filings", "index"):
        for path in sorted((home / top).rglob(".*.part")):
            if not any(parent.name.endswith(".part") for parent in path.parents):
                yield "leftover of a killed process", path


def _versions(library: Library) -> Iterator[tuple[str, Path]]:
    used = used_versions(library.home)
    for root in sorted(library.root.glob("*")):
        for path in prunable(root, used.get(root.name, set())):
            yield "unused filing version", path


def _vectors(library: Library, alive: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """Vectors of a fingerprint that no model and no index has."""
    kept = set(alive)
    for folder in (library.home / "index").glob("*-*/build-*"):
        try:
            kept.add(Passport.load(folder).fingerprint)
        except IndexMismatch:
            continue
    for path in sorted(library.root.glob(f"*/*/{VECTORS}/*.safetensors")):
        if path.stem not in kept:
            yield "vectors of a model that is gone or has changed", path
            if sum_path(path).exists():
                yield "their checksum", sum_path(path)
