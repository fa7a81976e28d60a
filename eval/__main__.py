"""Command line: score a model (run), pair two reports (compare)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import traceback
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
from rag_app.errors import RagError
from rag_app.settings import load_settings

EXAMPLES = """examples:
  python -m eval run --data virattt/financial-qa-10K --model minilm --out base.json
  python -m eval run --data financial_qa_10k.csv --model mine --dims 256,64 --out tuned.json
  python -m eval compare base.json tuned.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0: done, 2: the user can mend it (one line on stderr), 1: internal failure."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "run":
            _run(arguments)
        else:
            _compare(arguments)
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written.", file=sys.stderr)
        return 130
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        summary = " ".join(str(error).split())
        print(
            f"error: internal failure, {type(error).__name__}: {summary} "
            "(--debug shows where; please report it)",
            file=sys.stderr,
        )
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from eval.retrieval import evaluate
    from rag_app.index.embedder import Embedder
    from rag_app.index.models import resolve_model

    settings = load_settings(model=arguments.model)
    spec = resolve_model(
        settings.model,
        settings.home,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
    )
    # Refused before the minutes of encoding, not after.
    prepare_out(arguments.out)
    dims = [spec.check_dim(dim) for dim in arguments.dims or spec.dims]
    evalset = build_evalset(arguments.protocol, arguments.data, settings.home)
    with tqdm(total=len(evalset.corpus), unit=" passages", desc=f"Encoding for {spec.name}") as bar:

        def advance(count: int) -> None:
            bar.update(count)

        report = evaluate(Embedder(spec), evalset, dims, on_progress=advance)
    save_report(report, arguments.out)
    if arguments.json:
        print(json.dumps(report_record(report), indent=2))
    else:
        print(scores_table(report))
        print(f"\nWritten to {arguments.out}.")


def _compare(arguments: argparse.Namespace) -> None:
    comparison = compare(load_report(arguments.base), load_report(arguments.tuned))
    if arguments.json:
        print(json.dumps(dataclasses.asdict(comparison), indent=2))
    else:
        print(comparison_table(comparison, arguments.metric))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval",
        description="Measure a retriever at every dimension, and what tuning gained.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="score a model on a set of questions and write a report",
        description="Encode questions and passages once, score every dimension, write a report.",
        epilog="protocols:\n"
        + "\n".join(f"  {name:10} {row.summary}" for name, row in PROTOCOLS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "--data",
        required=True,
        metavar="DATA",
        help="CSV or JSONL file, or a hub data set such as virattt/financial-qa-10K",
    )
    run.add_argument(
        "--protocol", default="notebook", metavar="NAME", help="see below (default: notebook)"
    )
    run.add_argument(
        "--model",
        metavar="NAME",
        help="minilm, a trained model, a folder or a hub name (default: settings)",
    )
    run.add_argument(
        "--dims",
        type=_dims,
        metavar="N,N",
        help="dimensions to score, such as 384,128 (default: all that the model has)",
    )
    run.add_argument(
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
    for command in (run, pair):
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
        command.add_argument(
            "--debug", action="store_true", help="show where an internal failure arose"
        )
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
