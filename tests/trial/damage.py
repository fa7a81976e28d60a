"""A byte flipped, or bytes lost, at random in every file of a home: found, named, mended."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from forked import (
    DIM,
    SPEC,
    Library,
    State,
    embedder,
    in_child,
    index_root,
    open_snapshot,
    put,
    read_state,
    served_state,
    states_of,
)

from rag_app.errors import RagError
from rag_app.index.verify import verify_index
from rag_app.repair import repair
from rag_app.sealed import current, writer_lock

NAMED = {"passport.json": "passport", ".safetensors": "vectors in", ".sum.json": "vectors in"}
"""How a sentence names a file that it does not name by its name."""
HARMLESS = ("index pointer", "writer.lock")
"""The index is derived again without a pointer, and the lock is the kernel's, not the file's."""


def damage(folder: Path, at_most: int | None, seed: int) -> dict[str, int]:
    """Strike each file twice (``at_most`` so many files), mend it; how often what was found.

    Raises:
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    home, sources = folder / "home", folder / "sources"
    sources.mkdir(parents=True)
    state, chance, seen = {2021: 1, 2022: 2}, random.Random(seed), Counter[str]()
    in_child(lambda: put(home, sources, state))
    targets = list(_targets(home))
    for name, find in chance.sample(targets, at_most) if at_most else targets:
        seen["files"] += 1
        for blow in (_flipped, _cut):
            path = find()
            data = path.read_bytes()
            path.unlink()  # other hard links keep their bytes
            path.write_bytes(blow(data, chance))
            seen["blows"] += 1
            where = (name, blow.__name__)
            verified = in_child(lambda: _sentence(lambda: _verify(home)))
            opened = in_child(lambda: _opened(home))
            if name in HARMLESS:
                seen["did no harm"] += 1
            else:
                kind = next((each for each in NAMED if path.name.endswith(each)), path.name)
                word = NAMED.get(kind, path.name)
                assert word in verified, (where, verified)
                seen["found by index --verify and named"] += 1
                if opened:
                    assert word in opened, (where, opened)
                    seen["found on open and named"] += 1
                else:
                    seen["not read by an answer"] += 1
            seen["mended from the file ingested again"] += in_child(
                lambda: _mend(home, sources, state)
            )
            assert states_of(in_child(lambda: served_state(home))) == state, where
            in_child(lambda: _verify(home))
            assert not in_child(lambda: _opened(home)), where
    return dict(seen)


def _targets(home: Path) -> Iterator[tuple[str, Callable[[], Path]]]:
    """Every file that has bytes, and how to find it again when its folder was built anew."""
    root = index_root(home, SPEC, DIM)
    folder = current(root)
    assert folder is not None
    yield "index pointer", lambda: root / "current"
    yield "writer.lock", lambda: home / "writer.lock"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            yield f"index {path.name}", lambda path=path: _again(root, path.name)
    for path in sorted((home / "filings").rglob("*")):
        if path.is_file():
            yield str(path.relative_to(home)), lambda path=path: path


def _again(root: Path, name: str) -> Path:
    folder = current(root)
    assert folder is not None
    return next(folder.rglob(name))


def _flipped(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(_told(data))
    return data[:at] + bytes([data[at] ^ chance.randint(1, 255)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(_told(data))]


def _told(data: bytes) -> int:
    """How many bytes say something: a pointer is the same with another line end, or none."""
    return max(1, len(data.rstrip()))


def _sentence(work: Callable[[], object]) -> str:
    try:
        work()
    except RagError as error:
        return str(error)
    return ""


def _verify(home: Path) -> None:
    verify_index(Library(home), SPEC, DIM)


def _opened(home: Path) -> str:
    """What a user is told who asks; the answers themselves are right in any case."""
    notes: list[str] = []
    told = _sentence(
        lambda: read_state(open_snapshot(Library(home), embedder(), DIM, on_note=notes.append))
    )
    return " ".join([*notes, told]).strip()


def _mend(home: Path, sources: Path, state: State) -> int:
    """`ingest --repair`; what cannot be read from the library's copy is ingested again."""
    with writer_lock(home):
        failed = [one for one in repair(Library(home), 1_000_000) if one.error]
    if failed:
        put(home, sources, state)
    return len(failed)
