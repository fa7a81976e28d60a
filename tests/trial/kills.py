"""kill -9 at random moments of every write: old or new afterwards, never a mixture."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from forked import (
    DIM,
    SPEC,
    Library,
    State,
    embedder,
    in_child,
    index_root,
    key_of,
    kill_in_child,
    put,
    sealed_state,
    served_state,
    states_of,
    timed,
)

from rag_app.index.build import build_index
from rag_app.index.collect import collect
from rag_app.index.verify import verify_index
from rag_app.remove import remove_filings
from rag_app.sealed import writer_lock
from rag_app.settings import load_settings

YEARS = (2020, 2021, 2022, 2023)
KINDS = ("ingest", "ingest", "build", "swap", "gc", "remove")


def kills(folder: Path, count: int, seed: int) -> dict[str, int]:
    """Kill ``count`` times before the work was done, checking after each; what was hit how often.

    Raises:
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    home, sources = folder / "home", folder / "sources"
    sources.mkdir(parents=True)
    chance, seen, state = random.Random(seed), Counter[str](), dict.fromkeys(YEARS[:3], 0)
    in_child(lambda: put(home, sources, state))
    durations: dict[str, float] = {}
    number = 0
    while seen["killed"] < count:
        number += 1
        kind = chance.choice(KINDS if len(state) > 1 else KINDS[:-1])
        if kind == "gc":  # else there would be nothing to collect
            state |= {min(state): number}
            in_child(lambda state=state: litter(home, sources, state))
            number += 1
        work, after = _drawn(kind, home, sources, state, chance, number)
        if kind not in durations:  # how long it takes, so that the blow falls into it
            durations[kind] = timed(work)
            state = after
            continue
        done = kill_in_child(work, chance.uniform(0, durations[kind]))
        seen[f"{kind}, {'finished first' if done else 'killed'}"] += 1
        seen["killed"] += not done
        # In one child: what is sealed first, since a reader may then derive what was stored.
        both = in_child(lambda: [sealed_state(home), served_state(home)])
        sealed, served = map(states_of, both)
        assert sealed in ((after,) if done else (state, after)), (number, kind, state, sealed)
        assert served is not None
        for year in {*state, *after, *served}:  # each filing is whole, as it was or as it will be
            either = (after.get(year),) if done else (state.get(year), after.get(year))
            assert served.get(year) in either, (number, kind, year, served)
        if not done and after != state:
            seen["index was new already" if sealed == after else "index was the old one"] += 1
        finished = states_of(in_child(lambda work=work: finish(home, work)))
        assert finished == after, (number, kind, finished, after)
        state = after
    return dict(seen)


def _drawn(
    kind: str, home: Path, sources: Path, state: State, chance: random.Random, number: int
) -> tuple[Callable[[], None], State]:
    """What to do, and the state when it is done. Doing it twice does no harm."""
    if kind == "ingest":
        changes = dict.fromkeys(chance.sample(YEARS, chance.randint(1, 2)), number)
        return lambda: put(home, sources, changes), state | changes
    if kind == "remove":
        gone = chance.choice(sorted(state))
        left = {year: revision for year, revision in state.items() if year != gone}
        return lambda: remove(home, gone), left
    return {
        "build": lambda: rebuild(home, DIM),
        "swap": lambda: rebuild(home, SPEC.width),
        "gc": lambda: sweep(home),
    }[kind], state


def rebuild(home: Path, dim: int) -> None:
    """Build an index anew."""
    with writer_lock(home):
        build_index(Library(home), embedder(), dim, rebuild=True)


def remove(home: Path, year: int, dim: int = DIM) -> None:
    """`remove`, of a filing that may be gone already."""
    if Library(home).has(key_of(year)):
        remove_filings(Library(home), embedder(), dim, [key_of(year)])


def sweep(home: Path) -> None:
    """`index --gc`."""
    with writer_lock(home):
        collect(Library(home), SPEC, load_settings(home=home))


def litter(home: Path, sources: Path, changes: State) -> None:
    """Replaced builds, a replaced version of a filing, and what a killed writer leaves."""
    put(home, sources, changes)
    rebuild(home, SPEC.width)
    rebuild(home, SPEC.width)
    for root in (index_root(home, SPEC, DIM), Library(home).root / key_of(min(changes))):
        (root / ".left.12345678.part").mkdir()
        (root / ".left.12345678.part" / "half").write_bytes(b"half")


def finish(home: Path, work: Callable[[], None]) -> State:
    """Run what was killed again: it completes, nothing is left over, and all verifies."""
    work()
    library = Library(home)
    for dim in SPEC.dims:
        with writer_lock(home):
            build_index(library, embedder(), dim)
        verify_index(library, SPEC, dim)
    sweep(home)
    assert not list(home.rglob("*.part"))
    roots = [*library.root.iterdir(), *(index_root(home, SPEC, dim) for dim in SPEC.dims)]
    for root in roots:
        kept = [path for path in root.iterdir() if path.is_dir()]
        assert len(kept) == 1, (root, kept)
    return served_state(home)
