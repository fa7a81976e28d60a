"""``eval figures``: how well the figure check tells true statements from false ones."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.flags import Commands, add_common_flags
from eval.files import prepare_out
from rag_app.cli import OK
from rag_app.errors import DataError
from rag_app.sealed import write_whole
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from eval.figure_bench import Checked

SHOWN_ERRORS = 12


def add_figures(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "figures",
        help="measure the figure check on true and false statements",
        description="Make true and false statements from the tables and XBRL facts of the library, "
        "check each as an answer that cites its passages, and tell precision and recall.",
    )
    parser.add_argument(
        "--count", type=int, default=40, metavar="N", help="statements a filing (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws")
    parser.add_argument("--out", type=Path, metavar="MD", help="file for the report")
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Make and check the statements."""
    from eval.figure_bench import check_library
    from rag_app.library import Library

    if args.count < 2:
        raise DataError(f"--count {args.count} makes no true and false statement; give 2 or more.")
    if args.out:
        prepare_out(args.out)
    checked = check_library(Library(load_settings().home), args.count, args.seed)
    if not checked:
        raise DataError("The library's tables hold no figures to make statements of; ingest more.")
    text = report(checked, args.count, args.seed)
    if args.out:
        write_whole(args.out, text.encode())
    print(json.dumps(as_json(checked)) if args.json else text)
    return OK


def parts_of(checked: Sequence[Checked]) -> dict[str, list[Checked]]:
    """The statements of all filings, of those developed on, and of those kept back."""
    parts = {
        "all": list(checked),
        "developed on": [c for c in checked if c.developed_on],
        "kept back": [c for c in checked if not c.developed_on],
    }
    return {name: part for name, part in parts.items() if part}


def as_json(checked: Sequence[Checked]) -> dict[str, dict[str, float]]:
    """Precision and recall of both answers, by part."""
    from eval.figure_bench import Score

    found = {}
    for name, part in parts_of(checked).items():
        score = Score.of(part)
        found[name] = {
            "statements": float(score.statements),
            "precision supported": score.precision(True),
            "recall supported": score.recall(True),
            "precision not supported": score.precision(False),
            "recall not supported": score.recall(False),
        }
    return found


def report(checked: Sequence[Checked], count: int, seed: int) -> str:
    """The report as Markdown: scores by part, what was told, what went wrong."""
    filings = {
        name: sorted({c.statement.filing for c in p}) for name, p in parts_of(checked).items()
    }
    lines = [
        "# The figure check on true and false statements",
        "",
        f"`python -m eval figures --count {count} --seed {seed}`: "
        f"{len(checked)} statements over {len(filings['all'])} filings, "
        f"{len({c.statement.pattern for c in checked})} sentence patterns.",
        "A statement is supported when each of its figures is in a passage, equals a fact, or is "
        "derived. The rules were written looking at the filings developed on only.",
        "",
        "| filings | statements | P supported | R supported | P not | R not |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, scores in as_json(checked).items():
        numbers = list(scores.values())
        shares = " | ".join(f"{value:.3f}" for value in numbers[1:])
        lines.append(f"| {name} ({len(filings[name])}) | {numbers[0]:.0f} | {shares} |")
    lines += ["", "| told | statements | judged rightly |", "|---|---:|---:|"]
    told = Counter(_told(c) for c in checked)
    right = Counter(_told(c) for c in checked if c.right)
    lines += [f"| {name} | {told[name]} | {right[name]} |" for name in sorted(told)]
    verdicts = Counter((figure.verdict, c.statement.true) for c in checked for figure in c.figures)
    lines += ["", "| verdict | in true statements | in false ones |", "|---|---:|---:|"]
    for name in dict.fromkeys(verdict for verdict, _ in sorted(verdicts)):
        lines.append(f"| {name} | {verdicts[name, True]} | {verdicts[name, False]} |")
    for name in ("developed on", "kept back"):
        if name in filings:
            lines += ["", f"{name.capitalize()}: {', '.join(filings[name])}."]
    wrong = [c for c in checked if not c.right and c.developed_on][:SHOWN_ERRORS]
    if wrong:
        lines += ["", "Judged wrongly, of the filings developed on:", ""]
        lines += [f"- {'true' if c.statement.true else 'false'}: {c.statement.text}" for c in wrong]
    return "\n".join(lines) + "\n"


def _told(checked: Checked) -> str:
    statement = checked.statement
    return f"{statement.kind}, " + ("true" if statement.true else f"false: {statement.how}")
