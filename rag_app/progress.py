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
    line += f", {len(file.health.items_found)} Items"  # the notes name those that are missing
    return "; ".join(filter(None, [line, " ".join(file.health.notes)]))


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
        + _broken_off(report.broken_off)
        + _skipped(report.skipped)
        + _passed_over(report.passed_over)
    )


def _broken_off(files: Sequence[FileOutcome]) -> str:
    if not files:
        return ""
    names, one = _names([file.path for file in files]), len(files) == 1
    breaks, what = ("breaks", "that file") if one else ("break", "those files")
    filings = "filing" if one else "filings"
    return (
        f"\n{len(files)} {filings} {breaks} off and may lack Items: {names}; download {what} again."
    )


def _skipped(links: Sequence[Path]) -> str:
    if not links:
        return ""
    what = "link that points out of its folder"
    if len(links) > 1:
        what = "links that point out of their folder"
    return f"\nSkipped {len(links)} {what}: {_names(links)}; name the files themselves to add them."


def _passed_over(files: Sequence[Path]) -> str:
    if not files:
        return ""
    what = "file that is no filing by its name" if len(files) == 1 else "files that are no filings"
    return f"\nPassed over {len(files)} {what}: {_names(files)}."


def _names(files: Sequence[Path]) -> str:
    more = " and more" if len(files) > 5 else ""
    return ", ".join(printable(Path(file.name)) for file in files[:5]) + more
