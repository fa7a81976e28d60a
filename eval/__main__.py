"""Command line: score a model (run), pair two reports (compare), time the swap (bench)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.files import prepare_out
from eval.metrics import METRICS
from eval.protocols import PROTOCOLS, build_evalset
from eval.report import (
    compare,
    comparison_table,
    load_report,
    report_record,
    save_report,
    scores_table,
)
from rag_app.bars import progress_bar
from rag_app.cli import OK, add_debug_flag, open_embedder, run
from rag_app.records import Filters
from rag_app.settings import load_settings

EXAMPLES = """examples:
  python -m eval run --data virattt/financial-qa-10K --model minilm --out base.json
  python -m eval run --data financial_qa_10k.csv --model mine --dims 256,64 --out tuned.json
  python -m eval compare base.json tuned.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit codes are those of ``rag_app.cli``."""
    args = _parser().parse_args(argv)
    return run(args.act, args)


def _score(args: argparse.Namespace) -> int:
    from eval.retrieval import evaluate

    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    # Refused before the minutes of encoding, not after.
    prepare_out(args.out)
    dims = [embedder.spec.check_dim(dim) for dim in args.dims or embedder.spec.dims]
    evalset = build_evalset(args.protocol, args.data, settings.home)
    label = f"Encoding for {embedder.spec.name}"
    with progress_bar(label, len(evalset.corpus), "passages") as bar:

        def advance(count: int) -> None:
            bar.update(count)

        report = evaluate(embedder, evalset, dims, on_progress=advance)
    save_report(report, args.out)
    if args.json:
        print(json.dumps(report_record(report), indent=2))
    else:
        print(f"{scores_table(report)}\n\nWritten to {args.out}.")
    return OK


def _compare(args: argparse.Namespace) -> int:
    comparison = compare(load_report(args.base), load_report(args.tuned))
    if args.json:
        print(json.dumps(dataclasses.asdict(comparison), indent=2))
    else:
        print(comparison_table(comparison, args.metric))
    return OK


def _bench(args: argparse.Namespace) -> int:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval",
        description="Measure a retriever at every dimension, and what tuning gained.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    score = commands.add_parser(
        "run",
        help="score a model on a set of questions and write a report",
        description="Encode questions and passages once, score every dimension, write a report.",
        epilog="protocols:\n"
        + "\n".join(f"  {name:10} {row.summary}" for name, row in PROTOCOLS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    score.add_argument(
        "--data",
        required=True,
        metavar="DATA",
        help="CSV or JSONL file, or a hub data set such as virattt/financial-qa-10K",
    )
    score.add_argument(
        "--protocol", default="notebook", metavar="NAME", help="see below (default: notebook)"
    )
    score.add_argument(
        "--model",
        metavar="NAME",
        help="minilm, a trained model, a folder or a hub name (default: settings)",
    )
    score.add_argument(
        "--dims",
        type=_dims,
        metavar="N,N",
        help="dimensions to score, such as 384,128 (default: all that the model has)",
    )
    score.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FILE",
        help="report to write; the scores of each question go to FILE's stem + .queries.jsonl",
    )
    pair = commands.add_parser(
        "compare",
        help="pair two reports question by question",
        description="Per dimension: base, tuned, difference and its 95% interval.",
    )
    pair.add_argument("base", type=Path, help="report of the base model")
    pair.add_argument("tuned", type=Path, help="report of the tuned model")
    pair.add_argument(
        "--metric",
        default="ndcg@10",
        choices=METRICS,
        help="metric of the table (default: %(default)s)",
    )
    bench = commands.add_parser(
        "bench",
        help="time a dimension swap against re-embedding, on a copy of your library",
        description="Encode a copy of the library, then derive another dimension's index from "
        "the stored vectors; both are timed in this one run.",
    )
    bench.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    bench.add_argument("--dim", type=int, default=64, help="to swap to (default: %(default)s)")
    for command, act in ((score, _score), (pair, _compare), (bench, _bench)):
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
        add_debug_flag(command)
        command.set_defaults(act=act)
    return parser


def _dims(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of whole numbers such as 384,128"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
