"""Random runs of ingest, amend, delete, swap, collect, query and crash against a plain dict."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from forked import (
    SPEC,
    State,
    in_child,
    kill_in_child,
    plain,
    put,
    served_state,
    states_of,
    timed,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from kills import rebuild, remove, sweep

years = st.sampled_from((2020, 2021, 2022))
revisions = st.integers(1, 99)
filings = st.dictionaries(years, revisions, min_size=1, max_size=3)


class Served(RuleBasedStateMachine):
    """Every step is a process of its own, so each is a restart too.

    After each step what is served is read off, and ``served_state`` holds its texts, its dense
    and filtered answers and BM25 to the plain model of that state.
    """

    parent: ClassVar[Path]
    lasts: ClassVar[dict[str, float]]
    """Seconds that each kind of work takes, so that a blow falls into it."""
    seen: ClassVar[Counter[str]]

    @initialize(dim=st.sampled_from(SPEC.dims), first=filings)
    def begin(self, dim: int, first: State) -> None:
        self.seen["examples"] += 1
        self.folder = Path(tempfile.mkdtemp(dir=self.parent))
        self.home, self.sources = self.folder / "home", self.folder / "sources"
        self.sources.mkdir()
        self.state: State = {}
        self.dim = dim
        self.ingest(first)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(changes=filings)
    def ingest(self, changes: State) -> None:
        """New filings, or other texts of those that are there: amendments."""
        amends = bool(changes.keys() & self.state.keys())
        self.seen["amended" if amends else "ingested"] += 1
        self._do(lambda: put(self.home, self.sources, changes, self.dim), self.state | changes)

    @rule(year=years)
    def delete(self, year: int) -> None:
        self.seen["deleted"] += year in self.state
        self._do(lambda: remove(self.home, year, self.dim), self._without(year))

    @rule(dim=st.sampled_from(SPEC.dims))
    def swap(self, dim: int) -> None:
        self.seen["swapped"] += dim != self.dim
        self.dim = dim
        self.query()

    @rule()
    def collect(self) -> None:
        self.seen["collected"] += 1
        self._do(lambda: sweep(self.home), self.state)

    @rule()
    def rebuild(self) -> None:
        if self.state:
            self.seen["rebuilt"] += 1
            self._do(lambda: rebuild(self.home, self.dim), self.state)

    @rule()
    def query(self) -> None:
        self.seen["queried"] += 1
        self._do(lambda: None, self.state)

    @rule(
        kind=st.sampled_from(("ingest", "delete", "rebuild", "collect")),
        year=years,
        revision=revisions,
        share=st.floats(0, 1),
    )
    def crash(self, kind: str, year: int, revision: int, share: float) -> None:
        """Killed at work: all is as it was before, or as after; done is done."""
        work, after = self._drawn(kind, year, revision)
        plain(after)
        done = kill_in_child(work, share * self.lasts[kind])
        self.seen["finished before the blow" if done else "crashed"] += 1
        served = states_of(in_child(lambda: served_state(self.home, self.dim)))
        assert served in ((after,) if done else (self.state, after)), (kind, done, served, after)
        assert served is not None
        self.state = served

    def _drawn(self, kind: str, year: int, revision: int) -> tuple[Callable[[], None], State]:
        if kind == "ingest":
            changes = {year: revision}
            return lambda: put(self.home, self.sources, changes, self.dim), self.state | changes
        if kind == "delete":
            return lambda: remove(self.home, year, self.dim), self._without(year)
        if kind == "rebuild" and self.state:
            return lambda: rebuild(self.home, self.dim), self.state
        return lambda: sweep(self.home), self.state

    def _do(self, work: Callable[[], None], after: State) -> None:
        plain(after)  # known to the child then, and to those after it
        served = in_child(lambda: (work(), served_state(self.home, self.dim))[1])
        assert states_of(served) == after, (served, after)
        self.state = after

    def _without(self, year: int) -> State:
        return {each: revision for each, revision in self.state.items() if each != year}


def machine(folder: Path, examples: int, steps: int, seed: int) -> dict[str, int]:
    """Run so many examples of so many steps; returns how often each thing was done.

    Raises:
        AssertionError, RuntimeError: of the smallest example that was wrong.
    """
    folder.mkdir(parents=True)
    Served.parent, Served.seen = folder, Counter()
    Served.lasts = _durations(folder / "first")
    random.seed(seed)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Served,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=seed == 0,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return dict(Served.seen)


def _durations(folder: Path) -> dict[str, float]:
    home, sources = folder / "home", folder / "sources"
    sources.mkdir(parents=True)
    in_child(lambda: put(home, sources, {2020: 1, 2021: 1}))
    works = {
        "ingest": lambda: put(home, sources, {2021: 2}),
        "rebuild": lambda: rebuild(home, SPEC.width),
        "collect": lambda: sweep(home),
        "delete": lambda: remove(home, 2021),
    }
    return {kind: timed(work) for kind, work in works.items()}
