"""``eval compare``: pair two reports question by question."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from eval.commands.flags import Commands, add_common_flags
from eval.commands.run import add_choice_flags, choices_of
from eval.compare import compare, shared_dims
from eval.conclusions import conclude
from eval.data_flags import DATA_HELP
from eval.evalset import EvalSet
from eval.metrics import METRICS
from eval.movers import movers, movers_text
from eval.protocols import build_evalset
from eval.report import Report, load_report, load_run
from eval.tables import comparison_table, conclusions_text
from rag_app.cli import OK
from rag_app.errors import DataError
from rag_app.settings import load_settings


def add_compare(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare",
        help="pair two reports question by question",
        description="Per dimension: base, tuned, difference, its 95% interval and p-value; then "
        "what follows for the dimensions, and the questions that gained and lost most.",
    )
    parser.add_argument("base", type=Path, help="report of the base model")
    parser.add_argument("tuned", type=Path, help="report of the tuned model")
    parser.add_argument(
        "--metric",
        default="ndcg@10",
        choices=METRICS,
        help="metric of the tables (default: %(default)s)",
    )
    parser.add_argument(
        "--system",
        metavar="NAME",
        help="by which the questions are listed, such as 128 (default: the narrowest dimension)",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help=f"what the reports were run on, to show questions and passages: {DATA_HELP}",
    )
    add_choice_flags(parser)
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Pair two reports."""
    base, tuned = load_report(args.base), load_report(args.tuned)
    comparison = compare(base, tuned)
    conclusions = conclude(base, tuned, args.metric)
    system = args.system or _narrowest(base, tuned)
    rankings = tuple(
        load_run(path, system) if system in report.per_query else None
        for path, report in ((args.base, base), (args.tuned, tuned))
    )
    evalset = _texts(args, base) if args.data else None
    if evalset and not base.gold:  # a report of the format before
        gold = {query_id: tuple(right) for query_id, right in evalset.qrels.items()}
        base, tuned = (dataclasses.replace(report, gold=gold) for report in (base, tuned))
    gained, lost = movers(base, tuned, system, args.metric, (rankings[0], rankings[1]))
    if args.json:
        record = dataclasses.asdict(comparison) | {
            "conclusions": [dataclasses.asdict(found) for found in conclusions],
            "gained": [dataclasses.asdict(mover) for mover in gained],
            "lost": [dataclasses.asdict(mover) for mover in lost],
        }
        print(json.dumps(record, indent=2))
        return OK
    parts = [comparison_table(comparison, args.metric), *map(conclusions_text, conclusions)]
    for what, found in (("gained", gained), ("lost", lost)):
        title = f"Questions that {what} most ({args.metric} at {system}):"
        parts.append(f"{title}\n\n{movers_text(found, evalset)}")
    if not args.data:
        parts.append("Name the data with --data to see the questions and passages.")
    print("\n\n".join(parts))
    return OK


def _narrowest(base: Report, tuned: Report) -> str:
    dims = [dim for dim in shared_dims(base, tuned) if dim.isdigit()]
    return dims[-1] if dims else shared_dims(base, tuned)[-1]


def _texts(args: argparse.Namespace, report: Report) -> EvalSet:
    """The set that the reports were run on, built again.

    Raises:
        DataError: the data gives another set.
    """
    evalset = build_evalset(report.protocol, args.data, load_settings().home, choices_of(args))
    if evalset.sha256 != report.evalset_sha256:
        raise DataError(
            f"{args.data} gives other questions or passages than the reports were run on; name "
            "the same data and flags as for `eval run`."
        )
    return evalset
