"""``eval bench``: timings of one run beside each other, on a copy of the library."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from eval.commands.flags import Commands, add_common_flags
from rag_app.cli import OK, open_embedder, open_library
from rag_app.index.embedder import Embedder
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.settings import load_settings


def add_bench(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="time encoding and a dimension swap on your library",
        description="encoding: the encoder of the settings against sentence-transformers' fp32 "
        "encode, in turns. swap: encode a copy of the library, then derive another dimension's "
        "index from the stored vectors.",
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"what to time: {', '.join(ROWS)} (default: all)"
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument("--dim", type=int, default=64, help="to swap to (default: %(default)s)")
    parser.add_argument(
        "--chunks", type=int, default=64, help="to encode in a round (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="of encoding, median taken (default: %(default)s)"
    )
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Time the rows asked for, one after the other.

    Raises:
        DataError: there is no such row, or a number is none.
    """
    from rag_app.errors import DataError

    unknown = [row for row in args.rows if row not in ROWS]
    if unknown:
        raise DataError(f"bench has no row {', '.join(unknown)}; name some of {', '.join(ROWS)}.")
    if min(args.chunks, args.rounds) < 1:
        raise DataError("--chunks and --rounds count from 1; give larger ones.")
    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    library = open_library(settings)
    library.check_filters(Filters())
    timings = {row: ROWS[row](library, embedder, args) for row in args.rows or ROWS}
    if args.json:
        record = {
            row: {**dataclasses.asdict(timing), "ratio": timing.ratio}
            for row, timing in timings.items()
        }
        print(json.dumps(record, indent=2))
    else:
        print("\n\n".join(str(timing) for timing in timings.values()))
    return OK


def _encoding(library: Library, embedder: Embedder, args: argparse.Namespace) -> Any:
    from eval.encoding import time_encoding

    return time_encoding(library, embedder, chunks=args.chunks, rounds=args.rounds)


def _swap(library: Library, embedder: Embedder, args: argparse.Namespace) -> Any:
    from eval.bench import time_dimension_swap
    from rag_app.progress import encoding_bar

    dim = embedder.spec.check_dim(args.dim)
    with encoding_bar() as on_progress:
        return time_dimension_swap(library, embedder, dim, on_progress)


ROWS: dict[str, Callable[[Library, Embedder, argparse.Namespace], Any]] = {
    "encoding": _encoding,
    "swap": _swap,
}
