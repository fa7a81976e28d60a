"""``eval fuse``: which weight dense search has beside BM25, chosen on some companies."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.flags import Commands, add_common_flags, whole_numbers
from eval.commands.run import add_choice_flags, choices_of
from eval.data_flags import DATA_HELP
from eval.files import prepare_out
from eval.systems import label
from rag_app.cli import OK, open_embedder
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from eval.fusions import Chosen

HELD = ("NVDA", "AAPL", "MSFT", "META", "TSLA")
METRICS = ("recall@1", "recall@5", "recall@10", "ndcg@10")


def add_fuse(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "fuse",
        help="choose how much the dense side weighs beside BM25, for the setting dense_share",
        description="Fuse the candidates of dense search and BM25 in several ways and shares on "
        "the companies that are not held out, then measure every stage at the best share on those "
        "that are. It reads the stored vectors and builds no index.",
    )
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--protocol", default="filings", metavar="NAME", help="as for stages (default: filings)"
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument(
        "--dims", type=whole_numbers, metavar="N,N", help="to search at (default: all it has)"
    )
    parser.add_argument(
        "--held",
        type=lambda text: tuple(text.upper().split(",")),
        default=HELD,
        metavar="T,T",
        help=f"companies that choose nothing (default: {','.join(HELD)})",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON to write (default: none)")
    add_choice_flags(parser)
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Choose a share and measure it."""
    from eval.fusions import choose, turns
    from eval.protocols import build_evalset
    from eval.stored import AskedEmbedder, check_encoded, open_stored
    from rag_app.bars import counting_bar
    from rag_app.index.lexical import lexical_of
    from rag_app.library import Library
    from rag_app.sealed import write_whole

    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    dims = [embedder.spec.check_dim(dim) for dim in args.dims or embedder.spec.dims]
    if args.out:  # refused before the minutes of asking, not after
        prepare_out(args.out)
    library = Library(settings.home)
    evalset = build_evalset(args.protocol, args.data, settings.home, choices_of(args))
    check_encoded(library, embedder.spec)
    asked = AskedEmbedder(embedder, settings.home, list(evalset.queries.values()))
    with (
        lexical_of(evalset.corpus) as lexical,
        counting_bar("Asking", turns(evalset, dims, args.held), "questions") as on_asked,
    ):
        snapshots = open_stored(library, asked, dims, evalset.corpus, lexical)
        chosen = choose(snapshots, evalset, args.held, on_asked)
    record = json.dumps(dataclasses.asdict(chosen), indent=2)
    if args.out:
        write_whole(args.out, f"{record}\n".encode())
    print(record if args.json else fuse_text(chosen))
    return OK


def fuse_text(chosen: Chosen) -> str:
    """The ladder, then the stages, as Markdown tables."""
    from eval.fusions import CHOSEN_BY, SERVED

    systems = list(chosen.rungs[0].values)
    held = ", ".join(chosen.held)
    lines = [
        f"{chosen.model}: {CHOSEN_BY} on {', '.join(chosen.companies)}",
        "",
        f"| fusion | dense share | {' | '.join(map(label, systems))} | mean |",
        f"|---|---:|{'---:|' * (len(systems) + 1)}",
    ]
    for rung in chosen.rungs:
        values = " | ".join(f"{rung.values[system]:.4f}" for system in systems)
        lines.append(f"| {rung.fusion} | {rung.share:.1f} | {values} | {rung.mean:.4f} |")
    lines += [
        "",
        f"Best of {SERVED}, which is served: dense_share = {chosen.share}. With it, on {held}:",
        "",
        f"| stage | system | {' | '.join(METRICS)} | {CHOSEN_BY} against BM25 | 95% interval |",
        f"|---|---|{'---:|' * (len(METRICS) + 1)}---|",
    ]
    for row in chosen.stages:
        gain = row.against_bm25
        values = " | ".join(f"{row.metrics[metric]:.4f}" for metric in METRICS)
        lines.append(
            f"| {row.stage} | {label(row.system)} | {values} | {gain.mean:+.4f} "
            f"| {gain.low:+.4f} to {gain.high:+.4f} |"
        )
    return "\n".join(lines)
