"""``finetune mine``: mine hard negatives and write them to look at."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.data_flags import DATA_HELP, add_column_flags, columns_of
from eval.files import prepare_out
from eval.rows import QaRow, load_qa_rows
from eval.splits import SPLITS, split_rows
from finetune.flags import positive
from rag_app.bars import counting_bar
from rag_app.cli import OK, add_debug_flag, open_embedder
from rag_app.sealed import write_whole
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from finetune.mine import Negative

WAYS = ("both", "dense", "bm25")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "mine",
        help="mine hard negatives and write them to look at",
        description="For each training row, find wrong passages of the training rows that a model "
        "or BM25 ranks high, and write them as JSON Lines.",
    )
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="JSONL to write")
    parser.add_argument(
        "--split",
        default="company",
        choices=list(SPLITS),
        help="only its training rows are searched (default: %(default)s)",
    )
    parser.add_argument(
        "--holdout", default="", metavar="T,T", help="companies that are the test set instead"
    )
    parser.add_argument(
        "--by", default="both", choices=WAYS, help="what proposes them (default: %(default)s)"
    )
    parser.add_argument("--model", metavar="NAME", help="the dense model (default: settings)")
    parser.add_argument(
        "--count", type=positive, default=4, metavar="N", help="negatives a row (default: 4)"
    )
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="of split and draws")
    add_column_flags(parser)
    add_debug_flag(parser)
    parser.set_defaults(act=_mine)


def _mine(args: argparse.Namespace) -> int:
    from finetune.mine import mine_negatives

    settings = load_settings(model=args.model)
    embedder = None if args.by == "bm25" else open_embedder(settings)
    prepare_out(args.out)
    rows = load_qa_rows(args.data, columns_of(args))
    holdout = [ticker for ticker in args.holdout.split(",") if ticker.strip()]
    train = split_rows(rows, args.split, seed=args.seed, holdout=holdout).train
    with counting_bar("Mining", None, "texts") as advance:
        mined = mine_negatives(
            train,
            embedder=embedder,
            lexical=args.by != "dense",
            count=args.count,
            seed=args.seed,
            on_progress=advance,
        )
    write_whole(args.out, _lines(train, mined).encode())
    by = Counter(negative.by for found in mined.values() for negative in found)
    ways = ", ".join(f"{number} {name}" for name, number in by.most_common())
    print(f"{by.total()} negatives for {len(mined)} training rows ({ways}), in {args.out}.")
    return OK


def _lines(rows: Sequence[QaRow], mined: Mapping[str, Sequence[Negative]]) -> str:
    """One JSON object a row: what was asked, what is right, and what was mined from which row."""
    about = {row.id: row for row in rows}
    lines = []
    for row_id, found in mined.items():
        row = about[row_id]
        negatives = [
            {
                "row": negative.row_id,
                "ticker": about[negative.row_id].ticker,
                "by": negative.by,
                "score": negative.score,
                "text": negative.text,
            }
            for negative in found
        ]
        record = {
            "row": row.id,
            "ticker": row.ticker,
            "filing": row.filing,
            "question": row.question,
            "context": row.context,
            "negatives": negatives,
        }
        lines.append(json.dumps(record, ensure_ascii=False) + "\n")
    return "".join(lines)
