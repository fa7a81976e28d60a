"""Simulated corrections, end to end: what marking right passages gains on companies never marked.

    python tests/trial/simulate_corrections.py --home .work/all3 --data ../shared/data/\
financial_qa_10k.csv --out .work/corrections [-- --max-steps 300]

For rows of the training companies whose gold passage stands in an ingested filing, the question is
asked of the real retriever and the right one of the passages shown is marked in the real feedback
store, rows that the retriever got wrong first, as a reader would correct them. Then the base set
alone and the base set with the corrections are trained by the same command but for
`--from-feedback`, and both are paired on the held-out companies' questions: over short passages,
and over the chunks of their whole filings. What stands behind `--` goes to both trainings.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.gold import relevant_passages
from eval.protocols.choices import Choices
from eval.protocols.filings import CORPORA, asked_rows, build_filings
from eval.protocols.filings import Asked as GoldRow
from eval.report import Report, load_report
from eval.retrieval import evaluate
from eval.rows import load_qa_rows
from eval.splits import company_of
from eval.statistics import paired_difference
from finetune.config import load_config
from finetune.flags import add_recipe_flags, overrides_of
from finetune.held_out import split_for
from finetune.model_folder import BASE_REPORT, TUNED_REPORT
from rag_app.chat.feedback import FeedbackStore
from rag_app.chat.marks import exchange_of
from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model
from rag_app.index.retriever import FilingsRetriever
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.library import Library
from rag_app.records import Answer, Filters

HOLDOUT = ("NVDA", "AAPL", "MSFT", "META", "TSLA")
SHOWN = 10
METRIC = "ndcg@10"
ALONE, CORRECTED = "base-set", "with-corrections"


def main() -> int:
    args, training = arguments()
    home = args.out / "home"
    if not home.exists():
        # Hard links: filings are sealed, and never written to. The index is derived anew.
        shutil.copytree(args.home / "filings", home / "filings", copy_function=link)
    held_out = [ticker.upper() for ticker in args.holdout]
    if not FeedbackStore(home).marks():
        correct(home, args, training, held_out)
    flags = ["--data", str(args.data), "--set", f"holdout={held_out!r}".replace("'", '"')]
    for name, more in ((ALONE, []), (CORRECTED, ["--from-feedback"])):
        if not (home / "models" / name).exists():
            command = [sys.executable, "-m", "finetune", *flags, *training, *more, "--no-promote"]
            subprocess.run([*command, "--out", name, "--resume"], check=True, env=environment(home))
    print(table(home, args, held_out))
    return 0


def arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="a library of whole filings")
    parser.add_argument("--data", type=Path, required=True, help="financial_qa_10k.csv")
    parser.add_argument("--out", type=Path, required=True, help="a folder for all that is made")
    parser.add_argument("--holdout", nargs="+", default=list(HOLDOUT), metavar="TICKER")
    parser.add_argument("--n", type=int, default=200, help="corrections (default: 200)")
    parser.add_argument("--model", default="minilm", help="the model that is corrected")
    parser.add_argument("--dim", type=int, default=128, help="its dimension (default: 128)")
    parser.add_argument(
        "--corpus",
        choices=CORPORA,
        default="asked",
        help="whole filings: those asked of, or all of the library, which takes longer to encode",
    )
    words = sys.argv[1:]
    ours, training = words, []
    if "--" in words:
        ours, training = words[: words.index("--")], words[words.index("--") + 1 :]
    return parser.parse_args(ours), training


def correct(
    home: Path, args: argparse.Namespace, training: Sequence[str], held_out: Sequence[str]
) -> None:
    """Mark ``--n`` right passages, of training companies alone, as a reader would."""
    library = Library(home)
    spec = resolve_model(args.model, home)
    snapshot = open_snapshot(library, Embedder(spec), args.dim)
    store = FeedbackStore(home)
    found = list(corrections(snapshot, golds(args.data, training, held_out, library)))
    wrong = [one for one in found if one[2] > 1]
    chosen = (wrong + [one for one in found if one[2] == 1])[: args.n]
    for answer, row, rank in chosen:
        question, filters = row.row.question, Filters(ticker=row.ticker)
        exchange = exchange_of(question, question, filters, answer)
        store.mark(exchange, "right-passage", answer.hits[rank - 1].node.node_id)
    companies = sorted({row.ticker for _, row, _ in chosen})
    print(
        f"{len(found)} questions had their right passage among the {SHOWN} shown, {len(wrong)} of "
        f"them not first; {len(chosen)} were marked, of {', '.join(companies)}."
    )


def golds(
    data: Path, training: Sequence[str], held_out: Sequence[str], library: Library
) -> list[GoldRow]:
    """Rows of training companies whose context stands in a filing of the library."""
    parser = argparse.ArgumentParser()
    add_recipe_flags(parser)
    flags, _ = parser.parse_known_args(training)
    given = overrides_of(flags) | {"data": str(data), "holdout": list(held_out)}
    split = split_for(load_qa_rows(str(data)), load_config(flags.recipe, given))
    trained = {company_of(row) for row in split.train}
    here = set(library.filing_of().values())
    rows = asked_rows(str(data), Choices())
    return [one for one in rows if one.ticker.upper() in trained and one.file in here]


def corrections(
    snapshot: Snapshot, rows: Sequence[GoldRow]
) -> Iterator[tuple[Answer, GoldRow, int]]:
    """What is shown for each question, and the rank of the right passage; misses are passed over:
    nobody can mark what is not shown."""
    library, passport = snapshot.library, snapshot.passport
    named = {Path(one.filing.source).stem: key for key, one in library.filings().items()}
    right: dict[str, list[str]] = {}
    for file in {row.file for row in rows}:
        key = named[file]
        chunks = library.chunks(key, passport.filings[key])
        texts = {id_: node.text for id_, node in chunks.items()}
        right |= relevant_passages(
            [(row.row.id, row.row.context) for row in rows if row.file == file], texts
        )
    for row in rows:
        retriever = FilingsRetriever(snapshot, filters=Filters(ticker=row.ticker), k=SHOWN)
        hits = retriever.retrieve(row.row.question)
        ranks = [
            rank for rank, hit in enumerate(hits, start=1) if hit.node.node_id in right[row.row.id]
        ]
        if ranks:
            # The row's number in place of timings: each question is an answering of its own.
            made = {"row": float(row.row.id)}
            answer = Answer("", (), (), tuple(hits), passport.model, passport.dim, "none", made)
            yield answer, row, ranks[0]


def table(home: Path, args: argparse.Namespace, held_out: Sequence[str]) -> str:
    """What the corrections gained over the base set alone, with 95% intervals."""
    lines = [
        f"{METRIC} on the questions of {', '.join(held_out)}",
        "",
        "| asked of | dimension | untuned | base set alone | with corrections | gain | 95% | p |",
        "|---|---|---|---|---|---|---|---|",
    ]
    folders = [home / "models" / name for name in (ALONE, CORRECTED)]
    short = [
        load_report(folders[0] / BASE_REPORT),
        *(load_report(f / TUNED_REPORT) for f in folders),
    ]
    lines += rows_of("short passages", short)
    choices = Choices(companies=tuple(held_out), corpus=args.corpus)
    evalset = build_filings(str(args.data), home, choices)
    specs = [resolve_model(name, home) for name in (args.model, ALONE, CORRECTED)]
    dims = sorted(set.intersection(*(set(spec.dims) for spec in specs)), reverse=True)
    whole = [evaluate(Embedder(spec), evalset, dims) for spec in specs]
    lines += rows_of(f"whole filings ({args.corpus})", whole)
    return "\n".join(lines)


def rows_of(where: str, reports: Sequence[Report]) -> Iterator[str]:
    untuned, alone, corrected = reports
    systems = [
        name for name in alone.metrics if name in untuned.metrics and name in corrected.metrics
    ]
    for system in systems:
        scores = [report.metrics[system][METRIC] for report in reports]
        gain = paired_difference(
            alone.per_query[system][METRIC], corrected.per_query[system][METRIC], alone.groups
        )
        cells = " | ".join(f"{score:.4f}" for score in scores)
        yield (
            f"| {where} | {system} | {cells} | {gain.mean:+.4f} | {gain.low:+.4f} to "
            f"{gain.high:+.4f} | {gain.p:.3f} |"
        )


def link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "RAG_HOME": str(home)}


if __name__ == "__main__":
    sys.exit(main())
