"""Command line: one file a command in ``eval.commands``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from eval.commands.bench import add_bench
from eval.commands.compare import add_compare
from eval.commands.duplicates import add_duplicates
from eval.commands.figures import add_figures
from eval.commands.fuse import add_fuse
from eval.commands.gate import add_gate
from eval.commands.join import add_join
from eval.commands.quality import add_quality
from eval.commands.quotes import add_quotes
from eval.commands.refusal import add_refusal
from eval.commands.report import add_report
from eval.commands.run import add_run
from eval.commands.stages import add_stages
from rag_app.cli import run

EXAMPLES = """examples:
  python -m eval run --data virattt/financial-qa-10K --model minilm --out base.json
  python -m eval run --data financial_qa_10k.csv --model mine --dims 256,64 --out tuned.json
  python -m eval run --protocol filings --data financial_qa_10k.csv --model mine
  python -m eval compare base.json tuned.json
  python -m eval stages --data mine.jsonl --model mine --against minilm
  python -m eval fuse --data financial_qa_10k.csv --model mine --dims 128
  python -m eval report base.json tuned.json --out page
  python -m eval quality --model mine --data financial_qa_10k.csv
  python -m eval duplicates --data financial_qa_10k.csv --threshold .9
  python -m eval figures --count 40
  python -m eval quotes --data financial_qa_10k.csv --dim 128
  python -m eval refusal --answerable mine.jsonl --unanswerable others.jsonl --fit --save
  python -m eval gate --questions mine.jsonl --against mine.json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit codes are those of ``rag_app.cli``."""
    args = _parser().parse_args(argv)
    return run(args.act, args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval",
        description="Measure a retriever at every dimension, and what tuning gained.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add_command in (
        *(add_run, add_compare, add_join, add_stages, add_fuse, add_report),
        *(add_quality, add_duplicates, add_gate, add_bench, add_figures, add_quotes, add_refusal),
    ):
        add_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
