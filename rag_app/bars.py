"""Progress bars on stderr that stay readable in a log file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from tqdm import tqdm


def progress_bar(
    what: str, total: int | None, unit: str, *, delay_s: float = 0.0
) -> tqdm[NoReturn]:
    """A bar that a terminal redraws twice a second and a log gets twice a minute.

    With a delay, work that turns out to be none shows no bar.
    """
    return tqdm(
        desc=what,
        total=total,
        unit=f" {unit}",
        file=sys.stderr,
        mininterval=0.5 if sys.stderr.isatty() else 30,
        dynamic_ncols=True,
        delay=delay_s,
    )


@contextmanager
def counting_bar(
    what: str, total: int | None, unit: str, *, delay_s: float = 0.0
) -> Iterator[Callable[[int], None]]:
    """Such a bar around a piece of work; gives the function that moves it on by a count."""
    with progress_bar(what, total, unit, delay_s=delay_s) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance
