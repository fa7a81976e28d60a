"""kill -9 at random moments of ingest, build, swap and collection: old or new, never a mixture."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from forked import (
    DIM,
    SPEC,
    HashedEmbedder,
    Library,
    State,
    in_child,
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
from rag_app.sealed import writer_lock
from rag_app.settings import load_settings

YEARS = (2020, 2021, 2022, 2023)


def kills(folder: Path, count: int, seed: int) -> dict[str, int]:
    """Kill ``count`` times, checking after each; returns what was hit how often.

    Raises:
        AssertionError, RuntimeError: the first thing that was wrong.
    """
    home, sources = folder / "home", folder / "sources"
    sources.mkdir(parents=True)
    chance, seen, state = random.Random(seed), Counter[str](), dict.fromkeys(YEARS[:3], 0)
    in_child(lambda: put(home, sources, state))
    durations: dict[str, float] = {}
    for number in range(1, count + 1):
        changes: State = {}
        what = chance.choice(("ingest", "ingest", "build", "swap", "gc"))
        if what == "ingest":
            changes = dict.fromkeys(chance.sample(YEARS, chance.randint(1, 2)), number)
        work = {
            "ingest": lambda changes=changes: put(home, sources, changes),
            "build": lambda: rebuild(home, DIM),
            "swap": lambda: rebuild(home, SPEC.width),
            "gc": lambda: sweep(home),
        }[what]
        if what not in durations:  # how long it takes, so that the blow falls into it
            durations[what] = timed(work)
            state.update(changes)
        done = kill_in_child(work, chance.uniform(0, 1.1 * durations[what]))
        seen[f"{what}, {'finished' if done else 'killed'}"] += 1
        after = state | changes
        # In one child: what is sealed first, since a reader may then derive what was stored.
        both = in_child(lambda: [sealed_state(home), served_state(home)])
        sealed, served = map(states_of, both)
        assert sealed in ((after,) if done else (state, after)), (number, what, state, sealed)
        assert served is not None
        for year in served:  # each filing is stored whole or not at all
            assert served[year] in (state.get(year), after[year]), (number, year, served)
        assert set(state) <= set(served), (number, "an acknowledged filing was lost")
        seen["was new already" if sealed == after and changes else "was old"] += bool(changes)
        finished = states_of(in_child(lambda changes=changes: finish(home, sources, changes)))
        assert finished == after, (number, finished, after)
        state = after
    return dict(seen)


def rebuild(home: Path, dim: int) -> None:
    """Build an index anew."""
    with writer_lock(home):
        build_index(Library(home), HashedEmbedder(), dim, rebuild=True)


def sweep(home: Path) -> None:
    """`index --gc`."""
    with writer_lock(home):
        collect(Library(home), SPEC, load_settings(home=home))


def finish(home: Path, sources: Path, changes: State) -> State:
    """Run what was killed again: it completes, nothing is left over, and all verifies."""
    if changes:
        put(home, sources, changes)
    for dim in SPEC.dims:
        with writer_lock(home):
            build_index(Library(home), HashedEmbedder(), dim)
        verify_index(Library(home), SPEC, dim)
    sweep(home)
    assert not list(home.rglob("*.part"))
    return served_state(home)
