"""``eval duplicates``: questions of a data set that ask nearly the same."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.flags import Commands, add_common_flags
from eval.data_flags import DATA_HELP, add_column_flags, columns_of
from eval.files import prepare_out
from rag_app.cli import OK, open_embedder
from rag_app.errors import DataError
from rag_app.sealed import write_whole
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from eval.similar import SimilarGroup

SHOWN_GROUPS, SHOWN_CHARACTERS = 20, 90


def add_duplicates(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "duplicates",
        help="find questions that ask nearly the same",
        description="Group the questions of a data set by the cosine of their vectors. The "
        f"{SHOWN_GROUPS} largest groups are shown; --out gets all.",
    )
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.9,
        metavar="COSINE",
        help="from which on two questions are duplicates (default: %(default)s)",
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument("--dim", type=int, metavar="N", help="of the vectors (default: settings)")
    parser.add_argument("--out", type=Path, metavar="JSONL", help="file for one group a line")
    add_column_flags(parser)
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Group the questions."""
    from eval.cache import CachedEmbedder
    from eval.rows import load_qa_rows
    from eval.similar import similar_groups
    from rag_app.index.embedder import truncate

    if not 0 < args.threshold <= 1:
        raise DataError(f"--threshold {args.threshold} is no cosine; give one in (0, 1].")
    settings = load_settings(model=args.model, dim=args.dim)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(settings.dim)
    if args.out:
        prepare_out(args.out)
    rows = [row for row in load_qa_rows(args.data, columns_of(args)) if row.question.strip()]
    if not rows:
        raise DataError(f"{args.data} holds no questions; check --question-column.")
    vectors = CachedEmbedder(embedder, settings.home).encode_queries([row.question for row in rows])
    cut = truncate(vectors, dim, embedder.spec.start_of(dim))
    groups = similar_groups(rows, cut, args.threshold)
    lines = [json.dumps(group_record(group), ensure_ascii=False) for group in groups]
    if args.out:
        write_whole(args.out, "".join(f"{line}\n" for line in lines).encode())
    if args.json:
        print("\n".join(lines))
        return OK
    members = sum(len(group.rows) for group in groups)
    several = sum(group.contexts > 1 for group in groups)
    print(
        f"{len(rows)} questions, {embedder.spec.name} at {dim}, cosine {args.threshold:g} or more: "
        f"{members} of them in {len(groups)} groups; {several} groups have more than one context."
    )
    if groups:
        print(f"\n{groups_table(groups[:SHOWN_GROUPS])}")
    if args.out:
        print(f"\nWritten to {args.out}.")
    return OK


def group_record(group: SimilarGroup) -> Mapping[str, object]:
    """A group as a line of ``--out``; ``id`` is the row's number in the data."""
    return {
        "lowest": round(group.lowest, 4),
        "highest": round(group.highest, 4),
        "contexts": group.contexts,
        "rows": [
            {"id": row.id, "ticker": row.ticker, "question": row.question} for row in group.rows
        ],
    }


def groups_table(groups: Sequence[SimilarGroup]) -> str:
    """One line a group: size, companies, contexts, joining cosines, its first question."""
    lines = [
        "| questions | companies | contexts | cosine | first row | asks |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for group in groups:
        asked = " ".join(group.rows[0].question.split()).replace("|", "\\|")
        if len(asked) > SHOWN_CHARACTERS:
            asked = f"{asked[:SHOWN_CHARACTERS]} …"
        lines.append(
            f"| {len(group.rows)} | {len(group.companies)} | {group.contexts} "
            f"| {group.lowest:.3f} to {group.highest:.3f} | {group.rows[0].id} | {asked} |"
        )
    return "\n".join(lines)
