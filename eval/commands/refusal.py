"""``eval refusal``: calibrate when the chat says that the filings do not say, and measure it."""

from __future__ import annotations

import argparse
import dataclasses
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
    from eval.refusing import Judged
    from rag_app.chat.refusal import Calibration


def add_refusal(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "refusal",
        help="calibrate and measure when a question is refused for weak evidence",
        description="Ask questions that the filings of your library answer and questions that they "
        "do not, and tell how well the evidence of their hits separates them. With --fit the "
        "weights and the threshold are fitted on the questions of half of the companies and the "
        "other half is reported; without, the model's own calibration is measured on all.",
    )
    parser.add_argument(
        "--answerable", type=Path, required=True, metavar="JSONL", help="questions with filters"
    )
    parser.add_argument(
        "--unanswerable", type=Path, required=True, metavar="JSONL", help="likewise"
    )
    parser.add_argument(
        "--data", metavar="CSV", help="further answerable questions: rows as for --protocol filings"
    )
    parser.add_argument(
        "--held",
        type=lambda text: tuple(text.upper().split(",")),
        default=HELD,
        metavar="T,T",
        help=f"companies of --data that the model is not tuned on (default: {','.join(HELD)})",
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument("--dim", type=int, metavar="N", help="to search at (default: settings)")
    parser.add_argument("--fit", action="store_true", help="fit on half of the companies")
    parser.add_argument(
        "--save", action="store_true", help="put what was fitted beside the model's weights"
    )
    parser.add_argument("--out", type=Path, metavar="MD", help="file for the report")
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Ask, fit where that is wanted, and report."""
    from eval.refusing import UNANSWERABLE, fit, halves, judge_posed, posed_rows, read_posed
    from rag_app.bars import counting_bar
    from rag_app.chat.refusal import load_calibration, refusal_path

    if args.save and not args.fit:
        raise DataError("--save keeps what --fit finds; give both.")
    if args.out:
        prepare_out(args.out)
    posed = read_posed(args.answerable, args.answerable.stem)
    posed += read_posed(args.unanswerable, UNANSWERABLE)
    opened = open_all(args)
    spec = opened.embedder.spec
    calibration = load_calibration(spec)
    if calibration is None and not args.fit:
        raise DataError(f"The model {spec.name} has no calibration; add --fit to make one.")
    snapshot = open_index(opened)
    if args.data:
        posed += posed_rows(args.data, snapshot, args.held)
    with counting_bar("Asking", len(posed), "questions") as on_asked:
        judged = judge_posed(snapshot, opened.settings, posed, on_asked)
    fitted_on: Sequence[Judged] = ()
    if args.fit:
        fitted_on, judged = halves(judged, args.held)
        names = ", ".join(sorted({each.posed.company for each in fitted_on}))
        source = f"python -m eval refusal --fit on {len(fitted_on)} questions of {names}"
        calibration = fit(fitted_on, spec.fingerprint, source)
    assert calibration is not None
    text = report(calibration, judged, f"{spec.name} at {opened.dim} dimensions", fitted=args.fit)
    if args.save:
        saved = json.dumps(dataclasses.asdict(calibration), indent=2)
        write_whole(refusal_path(spec), f"{saved}\n".encode())
    if args.out:
        write_whole(args.out, text.encode())
    print(json.dumps(as_json(calibration, judged)) if args.json else text)
    return OK


def as_json(calibration: Calibration, judged: Sequence[Judged]) -> dict[str, object]:
    """The calibration, and how each set of answerable questions is told apart."""
    from eval.refusing import tell

    told = tell(calibration, judged, calibration.refuse_below)
    return {
        "calibration": dataclasses.asdict(calibration),
        "sets": [dataclasses.asdict(each) for each in told],
    }


def report(calibration: Calibration, judged: Sequence[Judged], served: str, *, fitted: bool) -> str:
    """The report as Markdown: each set against the unanswerable, thresholds, reliability.

    ``fitted`` says that it was fitted just now, to other companies' questions than ``judged``.
    """
    from eval.refusing import TUNED_ON, UNANSWERABLE, reliability, tell

    told = tell(calibration, judged, calibration.refuse_below)
    held = "None of the questions below was" if fitted else "Some questions below may have been"
    weights = ", ".join(f"{name} {value:+.2f}" for name, value in calibration.weights.items())
    lines = [
        "# When the chat says that the filings do not say",
        "",
        f"{served}; fitted by `{calibration.source}`.",
        f"log-odds of an answer: {weights}, {calibration.intercept:+.2f}; refused under "
        f"{calibration.refuse_below:.3f}. {held} fitted on. Each is asked "
        f"of its own filing; *{TUNED_ON}* are of companies whose questions trained the retriever.",
        "",
        "| answerable | n | unanswerable | AUC | 95% interval | cosine alone | answerable refused "
        "| unanswerable caught |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    cosine = dataclasses.replace(calibration, weights={"cosine": 1.0})
    lines += [
        f"| {each.set} | {each.answerable} | {each.unanswerable} | {each.auc.value:.3f} | "
        f"{each.auc.low:.3f} to {each.auc.high:.3f} | {alone.auc.value:.3f} | {each.refused:.1%} | "
        f"{each.caught:.1%} |"
        for each, alone in zip(told, tell(cosine, judged, 0.0), strict=True)
    ]
    names = [each.set for each in told]
    lines += [
        "",
        f"| refused under | {' | '.join(names)} | {UNANSWERABLE} |",
        f"|---:|{'---:|' * (len(names) + 1)}",
    ]
    for below in sorted({0.1, 0.2, 0.3, 0.4, 0.5, calibration.refuse_below}):
        rows = tell(calibration, judged, below)
        shares = " | ".join(f"{each.refused:.1%}" for each in rows)
        lines.append(f"| {below:.3f} | {shares} | {rows[0].caught:.1%} |")
    lines += [
        "",
        "Reliability, sets of answerable questions at equal weight, even odds:",
        "",
        "| probability | answered | questions |",
        "|---:|---:|---:|",
    ]
    for mean, share, count in reliability(calibration, judged):
        lines.append(f"| {mean:.3f} | {share:.3f} | {count} |")
    lines += ["", "| why it is not answered | n | caught |", "|---|---:|---:|"]
    kinds: dict[str, list[bool]] = {}
    for one in judged:
        if not one.posed.answerable:
            kinds.setdefault(one.posed.kind, []).append(calibration.refuses(one.evidence))
    lines += [f"| {kind} | {len(c)} | {sum(c) / len(c):.1%} |" for kind, c in kinds.items()]
    return "\n".join(lines) + "\n"
