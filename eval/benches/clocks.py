"""Seconds of a run by the clock and of processor time, and those of a child process."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag_app.errors import DataError

SHOWN_OF_FAILURE = 400


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds by the clock, and processor seconds of the process and its children.

    Processor time hardly grows when others work on the machine; the clock does.
    """

    wall_s: float
    processor_s: float

    def __truediv__(self, other: Clocks) -> tuple[float, float]:
        """How many times longer than the other, by the clock and by processor time."""
        return self.wall_s / other.wall_s, self.processor_s / other.processor_s

    def figures(self) -> dict[str, float]:
        """For a table; cores are those that worked on average."""
        return {
            "seconds": self.wall_s,
            "processor seconds": self.processor_s,
            "cores used": self.processor_s / self.wall_s,
        }


@dataclass(frozen=True, slots=True)
class ChildRun:
    """A child process that ended well: its clocks, its most memory in bytes, its output."""

    clocks: Clocks
    most_bytes: int
    output: str


def clocks(run: Callable[[], object]) -> Clocks:
    """Time a function; its child processes count once they have ended."""
    wall, processor = time.perf_counter(), _processor_s()
    run()
    return Clocks(time.perf_counter() - wall, _processor_s() - processor)


def median_of(taken: Sequence[Clocks]) -> Clocks:
    """The median of each clock."""
    return Clocks(
        statistics.median(each.wall_s for each in taken),
        statistics.median(each.processor_s for each in taken),
    )


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p95 in milliseconds."""
    ordered = sorted(seconds)
    late = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"p50, ms": 1000 * statistics.median(ordered), "p95, ms": 1000 * late}


def run_child(arguments: Sequence[str], environment: Mapping[str, str]) -> ChildRun:
    """Run this Python with some arguments to its end.

    Raises:
        DataError: it failed; the message holds the end of what it wrote.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, *arguments], stdout=out, stderr=err, env=dict(environment)
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for already
        out.seek(0)
        err.seek(0)
        if child.returncode:
            said = err.read().decode("utf-8", "replace").strip()[-SHOWN_OF_FAILURE:]
            raise DataError(
                f"`python {' '.join(arguments[:3])}` ended with {child.returncode}: {said}"
            )
        output = out.read().decode("utf-8", "replace")
    return ChildRun(Clocks(wall, used.ru_utime + used.ru_stime), 1024 * used.ru_maxrss, output)


def _processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
