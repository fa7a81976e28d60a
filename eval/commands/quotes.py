"""``eval quotes``: how often quote mode shows what the reference answer says."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.flags import Commands, add_common_flags
from eval.commands.fuse import HELD
from eval.files import prepare_out
from rag_app.cli import OK, open_all, open_index
from rag_app.errors import DataError
from rag_app.sealed import write_whole

if TYPE_CHECKING:
    from eval.quoting import Quoted

SHOWN_FAILURES = 30


def add_quotes(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "quotes",
        help="measure the quotes that answer where no LLM is configured",
        description="Ask each row of its company's filings as chat does without an LLM, and tell "
        "how often the reference answer's figures, or its words, stand in the quotes.",
    )
    parser.add_argument(
        "--data",
        required=True,
        metavar="CSV",
        help="question-answer rows, with filings/gold_context_overlap.csv beside them",
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument("--dim", type=int, metavar="N", help="to search at (default: settings)")
    parser.add_argument(
        "--companies",
        type=lambda text: tuple(text.upper().split(",")),
        default=(),
        metavar="T,T",
        help="ask of these alone (default: all)",
    )
    parser.add_argument("--out", type=Path, metavar="MD", help="file for the report")
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Ask, quote and judge."""
    from eval.quoting import load_references, measure_quotes
    from rag_app.bars import counting_bar

    if args.out:
        prepare_out(args.out)
    references = load_references(args.data, args.companies)
    if not references:
        raise DataError(f"{args.data} has no row of these companies; see its overlap file.")
    opened = open_all(args)
    snapshot = open_index(opened)
    with counting_bar("Asking", len(references), "questions") as on_asked:
        found = measure_quotes(snapshot, opened.settings, references, on_asked)
    text = report(found, f"{opened.embedder.spec.name} at {opened.dim} dimensions")
    if args.out:
        write_whole(args.out, text.encode())
    print(json.dumps(as_json(found)) if args.json else text)
    return OK


def parts_of(found: Sequence[Quoted]) -> dict[str, list[Quoted]]:
    """All rows, those by figures and by words, and by what the model and the filing knew."""
    parts = {
        "all rows": list(found),
        "figures": [each for each in found if each.reference.has_figures],
        "words": [each for each in found if not each.reference.has_figures],
        "context verbatim in the filing": [each for each in found if each.reference.verbatim],
        f"held out ({', '.join(HELD)})": [each for each in found if each.reference.ticker in HELD],
        "other companies": [each for each in found if each.reference.ticker not in HELD],
    }
    return {name: part for name, part in parts.items() if part}


def as_json(found: Sequence[Quoted]) -> dict[str, dict[str, float]]:
    """Part → place → share of its rows held there."""
    from eval.quoting import PLACES

    return {
        name: {
            "rows": float(len(part)),
            **{place: sum(each.held[place] for each in part) / len(part) for place in PLACES},
        }
        for name, part in parts_of(found).items()
    }


def report(found: Sequence[Quoted], served: str) -> str:
    """The report as Markdown: shares by part and place, then failures to look at."""
    from eval.quoting import ALL, PLACES, SHOWN

    lines = [
        "# What quote mode shows of the reference answers",
        "",
        f"`python -m eval quotes`: {len(found)} rows, each asked of its company's filings as chat "
        f"does without an LLM; {served}.",
        "A row is held where each figure of its reference answer stands in the quotes; where the "
        "answer has none, at least half of its words. Figures and words of the question do not "
        "count. *Passages shown* is the most that quotes can reach, *own context* the most that "
        "this measure can.",
        "",
        f"| rows | n | {' | '.join(PLACES)} |",
        f"|---|---:|{'---:|' * len(PLACES)}",
    ]
    for name, values in as_json(found).items():
        shares = " | ".join(f"{values[place]:.3f}" for place in PLACES)
        lines.append(f"| {name} | {values['rows']:.0f} | {shares} |")
    lines += ["", "Shown and not quoted, of the companies that are not held out:", ""]
    failed = [
        each
        for each in found
        if each.held[SHOWN] and not each.held[ALL] and each.reference.ticker not in HELD
    ]
    lines += [_failure(each) for each in failed[:: max(1, -(-len(failed) // SHOWN_FAILURES))]]
    return "\n".join(lines) + "\n"


def _failure(each: Quoted) -> str:
    row = each.reference
    return f"- row {row.id} ({row.ticker}): {row.question}"
