"""Many files → filings with their chunks, in the order given, over one process or several."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import FilingError
from rag_app.filings.chunks import make_chunks, token_counter
from rag_app.records import ParsedFiling

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

BYTES_A_WORKER = 2_000_000
"""Fewer bytes are read sooner than a process starts, which takes two seconds of imports."""

ReadFiling = Callable[[Path], ParsedFiling]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read, with its chunks."""

    path: Path
    parsed: ParsedFiling
    chunks: list[TextNode]


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that could not be read as a filing, and the sentence that says why."""

    path: Path
    error: str


def read_files(
    paths: Sequence[Path], read: ReadFiling, workers: int
) -> Generator[ReadFile | RefusedFile]:
    """Read and chunk each file, in order; ``read`` has to be picklable.

    At most ``workers`` processes share the work, fewer where there is little of it. Close the
    iterator to stop them.

    Raises:
        FilingError: a process was killed; what was yielded before is whole.
    """
    workers = min(workers, len(paths), 1 + sum(map(_size, paths)) // BYTES_A_WORKER)
    read_one = functools.partial(_read_one, read=read)
    if workers <= 1:
        yield from map(read_one, paths)
        return
    # Forking a process that has threads, as torch and Streamlit do, may deadlock the child.
    context = multiprocessing.get_context("spawn")
    go_on, stop = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_end_with_parent, initargs=(go_on,)
    )
    try:
        # Workers inherit the mask: Ctrl-C, which reaches them too, is their parent's to handle.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            results = pool.map(read_one, paths)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        yield from results
    except BrokenProcessPool:
        raise FilingError(
            "A process that read filings was killed, perhaps for want of memory; what was stored "
            "before is kept. Run it again, with --workers 1 if that does not help."
        ) from None
    finally:
        stop.close()
        go_on.close()
        pool.shutdown(cancel_futures=True)


def _read_one(path: Path, read: ReadFiling) -> ReadFile | RefusedFile:
    try:
        parsed = read(path)
    except FilingError as error:
        return RefusedFile(path, str(error))
    return ReadFile(path, parsed, make_chunks(parsed, _count_tokens()))


@functools.cache
def _count_tokens() -> Callable[[Sequence[str]], list[int]]:
    """The tokenizer takes a while to load, and cannot be sent to another process."""
    return token_counter()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reading it will say so
        return 0


def _end_with_parent(go_on: Connection) -> None:
    """End a worker at once, in the middle of a file, when its parent stops or is killed."""

    def watch() -> None:
        wait([go_on])  # nothing is ever sent: it becomes ready when the parent's end closes
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
