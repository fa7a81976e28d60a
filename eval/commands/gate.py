"""``eval gate``: hold what is served to a baseline."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from eval.commands.flags import Commands, add_common_flags
from eval.held import load_held
from rag_app.cli import OK, open_embedder, open_library
from rag_app.errors import DataError
from rag_app.settings import load_settings

WORSE = 1
QUESTIONS = Path("tests/retrieval/questions.jsonl")
BASELINE = Path("eval/baselines/sample.json")


def add_gate(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "gate",
        help="hold what is served to a baseline: exits 1 when it got worse",
        description="Ask your questions of the library as chat does, and pair the scores with a "
        "baseline question by question. Exits 0 when nothing got worse by more than chance, 1 "
        "when something did, 2 when it cannot judge: other filings or questions than the "
        "baseline's, no baseline, or no library that can be read.",
    )
    parser.add_argument(
        "--questions",
        type=Path,
        default=QUESTIONS,
        metavar="FILE",
        help="JSONL with question, filing, gold and, if wanted, filters (default: %(default)s)",
    )
    parser.add_argument(
        "--against",
        type=Path,
        default=BASELINE,
        metavar="FILE",
        help="the baseline (default: %(default)s)",
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument("--dim", type=int, metavar="N", help="to serve (default: settings)")
    parser.add_argument(
        "--update", action="store_true", help="rewrite the baseline with what is served now"
    )
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="why, with --update; kept in the baseline"
    )
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Judge what is served, or make it the baseline."""
    from eval.baseline import baseline_of, load_baseline, save_baseline
    from eval.gate import gate_table, judge
    from eval.served import measure

    if args.update != bool(args.reason.strip()):
        raise DataError("A baseline is rewritten with both --update and --reason TEXT; give both.")
    before = load_baseline(args.against) if args.against.exists() or not args.update else None
    settings = load_settings(model=args.model, dim=args.dim)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(settings.dim)
    library = open_library(settings)
    measured = measure(library, embedder, dim, load_held(args.questions, library), settings)
    if args.update:
        if measured.faults:
            raise DataError(f"No baseline is made of a faulty index: {' '.join(measured.faults)}")
        save_baseline(baseline_of(measured, args.reason.strip(), before), args.against)
        print(f"{args.against} holds {len(measured.questions)} questions now: {args.reason}")
        return OK
    assert before is not None  # without --update it was read, or refused
    verdict = judge(before, measured, args.against)
    if args.json:
        record = dataclasses.asdict(verdict) | {"passed": verdict.passed}
        print(json.dumps(record, indent=2))
    else:
        print(gate_table(verdict))
    return OK if verdict.passed else WORSE
