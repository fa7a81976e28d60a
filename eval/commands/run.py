"""``eval run``: score a model on a set of questions and write a report."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from eval.commands.flags import Commands, add_common_flags, whole_numbers
from eval.data_flags import DATA_HELP, add_column_flags, columns_of
from eval.files import prepare_out
from eval.protocols import PROTOCOLS
from eval.protocols.choices import Choices
from eval.protocols.filings import CORPORA, OVERLAP
from eval.report import report_record, save_report
from eval.tables import scores_table
from rag_app.cli import OK, open_embedder
from rag_app.settings import load_settings


def add_run(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="score a model on a set of questions and write a report",
        description="Encode questions and passages once, score every dimension, write a report.",
        epilog="protocols:\n"
        + "\n".join(f"  {name:10} {row.summary}" for name, row in PROTOCOLS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--protocol", default="notebook", metavar="NAME", help="see below (default: notebook)"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="minilm, a trained model, a folder or a hub name (default: settings)",
    )
    parser.add_argument(
        "--dims",
        type=whole_numbers,
        metavar="N,N",
        help="dimensions to score, such as 384,128 (default: all that the model has)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="report to write (default: none, only print); the scores of each question go to "
        "FILE's stem + .queries.jsonl",
    )
    parser.add_argument(
        "--no-baselines",
        action="store_true",
        help="leave out BM25, the base, and the base's vectors cut by PCA and at random",
    )
    add_choice_flags(parser)
    add_common_flags(parser, run)


def add_choice_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags that ``choices_of`` reads."""
    group = parser.add_argument_group("what is asked of what")
    group.add_argument(
        "--companies",
        type=lambda text: tuple(text.upper().split(",")),
        default=(),
        metavar="T,T",
        help="only questions about these tickers, such as NVDA,AAPL (default: all)",
    )
    group.add_argument(
        "--corpus",
        choices=CORPORA,
        default=CORPORA[0],
        help="all: every filing of the library; asked: those alone that a question is asked of "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--overlap",
        type=Path,
        metavar="CSV",
        help=f"says which filing holds each row's context (default: {OVERLAP} beside the data)",
    )
    group.add_argument(
        "--fold",
        default="",
        metavar="K/N",
        help="only the companies of this fold, such as 2/5 (default: all)",
    )
    group.add_argument(
        "--stock",
        action="store_true",
        help="score stock LlamaIndex chunks of the same files beside ours (minutes of encoding)",
    )
    add_column_flags(parser)


def choices_of(args: argparse.Namespace) -> Choices:
    """What the flags choose."""
    return Choices(
        companies=args.companies,
        corpus=args.corpus,
        overlap=args.overlap,
        fold=args.fold,
        stock=args.stock,
        columns=columns_of(args),
    )


def run(args: argparse.Namespace) -> int:
    """Score a model."""
    from eval.full_report import full_report

    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    if args.out:  # refused before the minutes of encoding, not after
        prepare_out(args.out)
    dims = [embedder.spec.check_dim(dim) for dim in args.dims or embedder.spec.dims]
    report = full_report(
        embedder,
        args.protocol,
        args.data,
        choices_of(args),
        dims,
        settings,
        baselines=not args.no_baselines,
    )
    if args.out:
        save_report(report, args.out)
    if args.json:
        print(json.dumps(report_record(report), indent=2))
    else:
        print(scores_table(report) + (f"\n\nWritten to {args.out}." if args.out else ""))
    return OK
