"""``eval join``: the reports of all folds as one."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from eval.commands.flags import Commands, add_common_flags
from eval.files import prepare_out
from eval.join import join_reports
from eval.report import Report, load_report, load_run, report_record, save_report
from eval.tables import scores_table
from rag_app.cli import OK


def add_join(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "join",
        help="join the reports of all folds into one",
        description="Each company is tested once, by the model of the fold that left it out; the "
        "joined report pairs with one of the whole set.",
    )
    parser.add_argument("folds", type=Path, nargs="+", help="report of each fold (run --fold K/N)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="report to write")
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Join the folds."""
    prepare_out(args.out)
    report = join_reports([_with_runs(path) for path in args.folds])
    save_report(report, args.out)
    if args.json:
        print(json.dumps(report_record(report), indent=2))
    else:
        print(f"{scores_table(report)}\n\nWritten to {args.out}.")
    return OK


def _with_runs(path: Path) -> Report:
    report = load_report(path)
    found = {system: load_run(path, system) for system in report.metrics}
    return dataclasses.replace(
        report, runs={system: run for system, run in found.items() if run is not None}
    )
