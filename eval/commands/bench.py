"""``eval bench``: how fast each part is, beside what it is to beat, on copies of the library."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.flags import Commands, add_common_flags, whole_numbers
from rag_app.cli import OK, open_embedder, open_library
from rag_app.records import Filters
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from eval.benches.measured import Measured
    from eval.benches.workbench import Workbench

DIM, GROWTH = 128, [1_000, 10_000, 100_000]


def add_bench(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="time every part on your library, beside what it is to beat",
        description="Each row runs both sides in turns and says which aims are met. Nothing is "
        "written to the library's home but temporary folders and converted models.",
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"what to time: {', '.join(ROWS)} (default: all)"
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    default = "(default: %(default)s)"
    parser.add_argument("--dim", type=int, default=DIM, help=f"the small dimension {default}")
    parser.add_argument("--chunks", type=int, default=64, help=f"to encode in a round {default}")
    parser.add_argument("--rounds", type=int, default=5, help=f"median taken {default}")
    parser.add_argument("--filings", type=Path, metavar="FOLDER", help="HTML filings for ingest")
    parser.add_argument("--count", type=int, default=10, help=f"of them to ingest {default}")
    parser.add_argument("--questions", type=int, default=200, help=f"to ask in turns {default}")
    parser.add_argument(
        "--rows-searched", type=int, default=50_000, help=f"vectors of search, filter {default}"
    )
    parser.add_argument(
        "--rows-built", type=int, default=100_000, help=f"vectors of build {default}"
    )
    parser.add_argument(
        "--growth",
        type=whole_numbers,
        default=GROWTH,
        metavar="N,N",
        help=f"chunks of each size (default: {','.join(map(str, GROWTH))})",
    )
    parser.add_argument(
        "--scratch", type=Path, metavar="FOLDER", help="for temporary data (default: the home)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write JSON there and a page (.md) beside it"
    )
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Time the rows asked for, one after the other; each is written as soon as it is measured.

    Raises:
        DataError: there is no such row, or a number is none.
    """
    from eval.benches.ingest import wanted_files
    from eval.benches.written import Rows, check_record, row_record, write_record
    from eval.files import prepare_out

    _check(args)
    if args.out:
        prepare_out(args.out)
        check_record(args.out)
    bench = _workbench(args)
    command = f"python -m eval bench {_as_typed(args)}"
    rows: Rows = {}
    wanted = args.rows or list(ROWS)
    if "ingest" in wanted:  # refused before the long work of other rows
        wanted_files(bench.sizes)
    for name in wanted:
        measured = ROWS[name](bench)
        rows[name] = row_record(measured, command)
        if args.out:
            write_record(args.out, {name: rows[name]})
        if not args.json:
            print(f"## {name}\n\n{measured.markdown()}\n", flush=True)
    if args.json:
        print(json.dumps({"rows": rows}, indent=2))
    return OK


def _check(args: argparse.Namespace) -> None:
    from rag_app.errors import DataError

    unknown = [row for row in args.rows if row not in ROWS]
    if unknown:
        raise DataError(f"bench has no row {', '.join(unknown)}; name some of {', '.join(ROWS)}.")
    numbers = {
        "--chunks": args.chunks,
        "--rounds": args.rounds,
        "--count": args.count,
        "--questions": args.questions,
        "--rows-searched": args.rows_searched,
        "--rows-built": args.rows_built,
        "--growth": min(args.growth),
    }
    for flag, number in numbers.items():
        if number < 1:
            raise DataError(f"{flag} counts from 1; give a larger number.")


def _workbench(args: argparse.Namespace) -> Workbench:
    from eval.benches.workbench import Sizes, Workbench

    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    library = open_library(settings)
    library.check_filters(Filters())
    return Workbench(
        settings=settings,
        library=library,
        embedder=embedder,
        dim=embedder.spec.check_dim(args.dim),
        scratch=args.scratch or settings.home,
        sizes=Sizes(
            chunks=args.chunks,
            rounds=args.rounds,
            filings=args.filings,
            filing_count=args.count,
            questions=args.questions,
            rows=args.rows_searched,
            build_rows=args.rows_built,
            growth=tuple(sorted(set(args.growth))),
        ),
    )


def _as_typed(args: argparse.Namespace) -> str:
    """The arguments that say what was measured, as they would be typed."""
    named = {
        "--model": args.model,
        "--dim": args.dim,
        "--chunks": args.chunks,
        "--rounds": args.rounds,
        "--filings": args.filings,
        "--count": args.count,
        "--questions": args.questions,
        "--rows-searched": args.rows_searched,
        "--rows-built": args.rows_built,
        "--growth": ",".join(map(str, args.growth)),
    }
    given = [f"{flag} {value}" for flag, value in named.items() if value is not None]
    return " ".join([*args.rows, *given])


def _encoding(bench: Workbench) -> Measured:
    from eval.benches.encoding import time_encoding

    return time_encoding(bench)


def _ingest(bench: Workbench) -> Measured:
    from eval.benches.ingest import time_ingest

    return time_ingest(bench)


def _query(bench: Workbench) -> Measured:
    from eval.benches.query import time_query

    return time_query(bench)


def _search(bench: Workbench) -> Measured:
    from eval.benches.search import time_search

    return time_search(bench)


def _filter(bench: Workbench) -> Measured:
    from eval.benches.search import time_filter

    return time_filter(bench)


def _swap(bench: Workbench) -> Measured:
    from eval.benches.swap import time_swap

    return time_swap(bench)


def _build(bench: Workbench) -> Measured:
    from eval.benches.build import time_build

    return time_build(bench)


def _cold(bench: Workbench) -> Measured:
    from eval.benches.cold import time_cold

    return time_cold(bench)


def _growth(bench: Workbench) -> Measured:
    from eval.benches.growth import time_growth

    return time_growth(bench)


ROWS: dict[str, Callable[[Workbench], Measured]] = {
    "encoding": _encoding,
    "ingest": _ingest,
    "query": _query,
    "search": _search,
    "filter": _filter,
    "swap": _swap,
    "build": _build,
    "cold": _cold,
    "growth": _growth,
}
"""Each row's heavy imports wait until it is run."""
