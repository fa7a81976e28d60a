"""``eval bench``: time a dimension swap against re-embedding, on a copy of the library."""

from __future__ import annotations

import argparse
import dataclasses
import json

from eval.commands.flags import Commands, add_common_flags
from rag_app.cli import OK, open_embedder
from rag_app.records import Filters
from rag_app.settings import load_settings


def add_bench(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="time a dimension swap against re-embedding, on a copy of your library",
        description="Encode a copy of the library, then derive another dimension's index from "
        "the stored vectors; both are timed in this one run.",
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument("--dim", type=int, default=64, help="to swap to (default: %(default)s)")
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Time a dimension swap."""
    from eval.bench import time_dimension_swap
    from rag_app.library import Library
    from rag_app.progress import encoding_bar

    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(args.dim)
    library = Library(settings.home)
    library.check_filters(Filters())
    with encoding_bar() as on_progress:
        timing = time_dimension_swap(library, embedder, dim, on_progress)
    if args.json:
        print(json.dumps({**dataclasses.asdict(timing), "ratio": timing.ratio}, indent=2))
    else:
        print(
            f"{timing.chunk_count} chunks, {timing.model}: encoding {timing.encode_s:.1f} s, swap "
            f"from {timing.from_dim} to {timing.to_dim} dimensions {timing.swap_s:.2f} s, "
            f"{timing.ratio:.0f} times faster."
        )
    return OK
