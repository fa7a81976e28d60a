"""Progress on a terminal: files read, then chunks encoded with chunks a second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from rag_app.bars import counting_bar
from rag_app.filings.source import printable
from rag_app.index.build import Progress
from rag_app.ingest import FileOutcome, IngestReport, IngestWatcher
from rag_app.progress_file import ProgressFile

RATED_FROM = 500
"""Chunks from which a speed is told: with fewer, loading the model takes most of the time."""


@contextmanager
def console_watcher(progress: ProgressFile | None = None) -> Iterator[IngestWatcher]:
    """A line for each file as it is read, then a bar of chunks encoded; so is ``progress`` told."""
    told = progress or ProgressFile()
    with ExitStack() as stack:
        bars: list[Progress] = []  # none before encoding begins, or where nothing is encoded
        waiting = 0

        def on_file(file: FileOutcome) -> None:
            print(file_line(file))
            told.advance()

        def on_encoding(total: int) -> None:
            nonlocal waiting
            waiting = total
            if total:
                told.begin("encoding", total)
                bars.append(
                    stack.enter_context(counting_bar("encoding", total, "chunks", delay_s=0.1))
                )
            else:
                told.begin("indexing")

        def on_encoded(done: int) -> None:
            nonlocal waiting
            waiting -= done
            for advance in (*bars, told.advance):
                advance(done)
            if waiting == 0:
                told.begin("indexing")

        yield IngestWatcher(
            on_files=lambda total: told.begin("reading", total),
            on_file=on_file,
            on_encoding=on_encoding,
            on_encoded=on_encoded,
        )


def encoding_bar() -> AbstractContextManager[Progress]:
    """A bar of chunks encoded, without a total; nothing shows when nothing is encoded."""
    return counting_bar("encoding", None, "chunks", delay_s=0.1)


def file_line(file: FileOutcome) -> str:
    """One line about a file: what became of it, chunks, Items, what the reader is unsure of."""
    if file.outcome == "refused":
        return f"{refusal_of(file.name)}{file.error}"
    line = f"{file.outcome:<10} {file.key}: {file.chunk_count} chunks"
    if file.health is None:
        return line
    line += f", {len(file.health.items_found)} Items"
    if file.health.items_missing:
        line += f", missing {', '.join(file.health.items_missing)}"
    return "; ".join([line, *file.health.notes])


def refusal_of(name: str) -> str:
    """How the line on a file that was refused begins; why follows."""
    return f"{'refused':<10} {name}: "


def describe(report: IngestReport) -> str:
    """The last line of an ingest."""
    stored = len(report.files) - len(report.refused)
    rate = ""
    if report.encoded >= RATED_FROM and report.seconds:
        rate = f" at {report.encoded / report.seconds:.0f} chunks/s"
    return (
        f"{stored} filing{'' if stored == 1 else 's'} read, {len(report.refused)} refused; "
        f"the index holds {report.chunk_count} chunks, {report.encoded} of them encoded now{rate}."
        + _skipped(report.skipped)
    )


def _skipped(links: Sequence[Path]) -> str:
    if not links:
        return ""
    names = ", ".join(printable(Path(link.name)) for link in links[:5])
    more = " and more" if len(links) > 5 else ""
    what = "link that points out of its folder"
    if len(links) > 1:
        what = "links that point out of their folder"
    return f"\nSkipped {len(links)} {what}: {names}{more}; name the files themselves to add them."
