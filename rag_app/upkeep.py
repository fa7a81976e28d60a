"""CLI of upkeep: `index` in all its modes, `remove`, and `ingest --repair`."""

from __future__ import annotations

import argparse
import sys

from rag_app.cli import INTERNAL, OK, USER, Opened, open_all
from rag_app.errors import RagError
from rag_app.records import Filters

INDEX_NOTES = """examples:
  python -m rag_app index --dim 128        one dimension, out of the stored vectors
  python -m rag_app index --all-dims       every dimension of the model, side by side
  python -m rag_app index --verify         hold it to the library; exit code 1 when damaged
  python -m rag_app index --gc             remove what nothing needs any more

--verify looks at checksums of the index, the filings and the vectors, the number and ids of chunks,
the length of vectors, BM25's chunks, that chunks find themselves, and how many of the exact ten
nearest are found. --gc removes replaced builds, indexes and vectors of models that are gone or have
changed, filing versions that no index reads, and leftovers of killed processes; never an index of
the model that is served, nor one that a process is reading.
"""


def add_index_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `index` beside model and dimension."""
    parser.add_argument(
        "--all-dims", action="store_true", help="every dimension that the model was trained for"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--rebuild", action="store_true", help="build it anew even if it is current")
    mode.add_argument("--verify", action="store_true", help="hold it to the library, part by part")
    mode.add_argument("--gc", action="store_true", help="remove what nothing needs any more")


def index(args: argparse.Namespace) -> int:
    """Build, verify or collect, as the flags say."""
    opened = open_all(args)
    dims = opened.embedder.spec.dims if args.all_dims else (opened.dim,)
    if args.gc:
        return _collect(opened)
    if args.verify:
        return _verify(opened, dims)
    return _build(opened, dims, rebuild=args.rebuild)


def _build(opened: Opened, dims: tuple[int, ...], *, rebuild: bool) -> int:
    from rag_app.index.build import build_index
    from rag_app.progress import encoding_bar
    from rag_app.sealed import writer_lock

    with encoding_bar() as on_progress, writer_lock(opened.library.home):
        for dim in dims:
            report = build_index(
                opened.library,
                opened.embedder,
                dim,
                on_progress,
                rebuild=rebuild,
                on_note=_note,
            )
            done = "built" if report.rebuilt else "was current already"
            print(
                f"Index {opened.embedder.spec.name} at {dim} dimensions {done}: "
                f"{report.chunk_count} chunks, {report.encoded} encoded, {report.seconds:.1f} s."
            )
    return OK


def _verify(opened: Opened, dims: tuple[int, ...]) -> int:
    from rag_app.index.verify import verify_index

    opened.library.check_filters(Filters())  # without filings there is nothing to verify
    name = opened.embedder.spec.name
    for dim in dims:
        try:
            held = verify_index(
                opened.library,
                opened.embedder.spec,
                dim,
                lambda part: print(f"verifying  {part}", file=sys.stderr),
            )
        except RagError as error:
            print(f"error: {error}", file=sys.stderr)
            return INTERNAL
        print(
            f"Index {name} at {dim} dimensions is whole: {held.chunk_count} chunks, recall "
            f"{held.recall:.3f} of exact search."
        )
    return OK


def _collect(opened: Opened) -> int:
    from rag_app.index.collect import Removed, collect
    from rag_app.sealed import writer_lock

    def tell(one: Removed) -> None:
        print(f"removed    {one.bytes / 1e6:8.1f} MB  {one.what}: {one.path}")

    with writer_lock(opened.library.home):
        removed = collect(opened.library, opened.embedder.spec, opened.settings, tell)
    total = sum(one.bytes for one in removed)
    things = "thing" if len(removed) == 1 else "things"
    print(f"{len(removed)} {things} removed, {total / 1e6:.1f} MB ({total} bytes) freed.")
    return OK


def repair(args: argparse.Namespace) -> int:
    """Mend the library from its own copies, then bring the index up to it."""
    from rag_app.repair import Repaired
    from rag_app.repair import repair as repair_library
    from rag_app.sealed import writer_lock

    def tell(one: Repaired) -> None:
        print(f"{'FAILED' if one.error else 'repaired':<10} {one.key}: {one.error or one.why}")

    opened = open_all(args)
    max_bytes = opened.settings.max_file_mb * 1_000_000
    with writer_lock(opened.library.home):
        done = repair_library(opened.library, max_bytes, tell)
    failed = [one for one in done if one.error]
    mended = len(done) - len(failed)
    filings = "filing" if mended == 1 else "filings"
    print(f"{mended} {filings} repaired, {len(failed)} could not be.")
    if failed or not opened.library.versions():
        return USER if failed else OK
    return _build(opened, (opened.dim,), rebuild=False)


def remove(args: argparse.Namespace) -> int:
    """Take filings out of the library and its indexes."""
    from rag_app.progress import encoding_bar
    from rag_app.progress_file import ProgressFile
    from rag_app.remove import remove_filings

    opened = open_all(args)
    ProgressFile(args.progress).begin("indexing")
    keys = list(dict.fromkeys(args.keys))
    with encoding_bar() as on_progress:
        count = remove_filings(
            opened.library,
            opened.embedder,
            opened.dim,
            keys,
            on_progress=on_progress,
            on_note=_note,
        )
    for key in keys:
        print(f"{'removed':<10} {key}")
    left = f"the index holds {count} chunks" if count else "the library is empty now"
    print(f"{len(keys)} filing{'s' if len(keys) > 1 else ''} removed; {left}.")
    return OK


def _note(note: str) -> None:
    print(f"note: {note}", file=sys.stderr)
