"""Random runs of ingest, amend, delete, swap, collect, query and crash against a plain dict."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

from forked import (
    SPEC,
    HashedEmbedder,
    Library,
    State,
    in_child,
    key_of,
    kill_in_child,
    put,
    served_state,
    states_of,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kills import sweep

from rag_app.index.build import build_index
from rag_app.sealed import writer_lock

years = st.sampled_from((2020, 2021, 2022))
revisions = st.integers(1, 99)
CRASH_S = 0.25
"""An ingest takes some 0.2 s on a free core, so that the blow falls into it or just behind."""


class Served(RuleBasedStateMachine):
    """Every step is a process of its own, so each is a restart too."""

    parent: Path

    @initialize(year=years, revision=revisions)
    def begin(self, year: int, revision: int) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=self.parent))
        self.home, self.sources = self.folder / "home", self.folder / "sources"
        self.sources.mkdir()
        self.state: State = {}
        self.dim = SPEC.dims[0]
        self.ingest(year, revision)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(year=years, revision=revisions)
    def ingest(self, year: int, revision: int) -> None:
        """A new filing, or another text of one that is there: an amendment."""
        in_child(lambda: put(self.home, self.sources, {year: revision}, self.dim))
        self.state[year] = revision
        self.query()

    @precondition(lambda self: len(self.state) > 1)
    @rule(year=years)
    def delete(self, year: int) -> None:
        if self.state.pop(year, None) is not None:
            in_child(lambda: Library(self.home).remove(key_of(year)))
            self.query()

    @rule(dim=st.sampled_from(SPEC.dims))
    def swap(self, dim: int) -> None:
        self.dim = dim
        self.query()

    @rule()
    def collect(self) -> None:
        in_child(lambda: sweep(self.home))

    @rule()
    def rebuild(self) -> None:
        in_child(lambda: _rebuild(self.home, self.dim))

    @rule()
    def query(self) -> None:
        """``served_state`` holds the answers against exact search, too."""
        assert self._served() == self.state

    @rule(year=years, revision=revisions, share=st.floats(0, 1))
    def crash(self, year: int, revision: int, share: float) -> None:
        """Killed while a filing is stored and indexed: it is there whole, or as before."""
        work = lambda: put(self.home, self.sources, {year: revision}, self.dim)  # noqa: E731
        done = kill_in_child(work, share * CRASH_S)
        after = self.state | {year: revision}
        served = self._served()
        assert served in ((after,) if done else (self.state, after))
        self.state = served

    def _served(self) -> State:
        served = states_of(in_child(lambda: served_state(self.home, self.dim)))
        assert served is not None
        return served


def _rebuild(home: Path, dim: int) -> None:
    with writer_lock(home):
        build_index(Library(home), HashedEmbedder(), dim, rebuild=True)


def machine(folder: Path, examples: int, steps: int, seed: int) -> int:
    """Run so many examples of so many steps; returns how many.

    Raises:
        AssertionError, RuntimeError: of the smallest example that was wrong.
    """
    folder.mkdir(parents=True)
    Served.parent = folder
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
    return examples
