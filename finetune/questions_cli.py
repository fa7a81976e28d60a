"""``finetune questions``: generate training questions from ingested filings."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from eval.files import prepare_out
from rag_app.bars import progress_bar
from rag_app.cli import OK, add_debug_flag, open_all, open_index
from rag_app.errors import LLMError
from rag_app.records import Filters


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "questions",
        help="generate questions from ingested filings with the configured LLM",
        description="Let the LLM write a question on each of many chunks and keep those that find "
        "their chunk again. Run it again with the same --out to go on; no chunk is asked twice.",
    )
    parser.add_argument("--ticker", default="", help="only this company's filings")
    parser.add_argument("--form", default="", help="only this form")
    parser.add_argument("--year", type=int, help="only this fiscal year")
    parser.add_argument(
        "--n", type=int, default=200, metavar="N", help="questions to keep (default: 200)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="JSONL for --data (default: questions/TICKER.jsonl under the home folder)",
    )
    parser.add_argument(
        "--k", type=int, help="hits among which the chunk must be (default: as for ask)"
    )
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="of the chunks' order")
    parser.add_argument("--model", metavar="NAME", help="model that searches (default: settings)")
    parser.add_argument("--dim", type=int, metavar="N", help="its dimension (default: settings)")
    add_debug_flag(parser)
    parser.set_defaults(act=_questions)


def _questions(args: argparse.Namespace) -> int:
    from rag_app.chat.llm import open_llm

    opened = open_all(args, k=args.k)
    settings = opened.settings
    filters = Filters(args.ticker, args.form, args.year)
    opened.library.check_filters(filters)
    out = args.out or settings.home / "questions" / f"{args.ticker.upper() or 'all'}.jsonl"
    prepare_out(out)
    llm = open_llm(settings)
    if llm is None:
        raise LLMError(
            "Questions need an LLM and none is configured; set OPENAI_BASE_URL, OPENAI_API_KEY or "
            "RAG_LLM=local."
        )
    snapshot = open_index(opened)
    from finetune.questions import KEPT, Generator, write_questions

    with progress_bar("Questions", args.n, "kept") as bar:

        def show(tally: Counter[str]) -> None:
            bar.set_postfix(asked=tally.total(), refresh=False)
            bar.update(tally[KEPT] - bar.n)

        tally = write_questions(
            Generator(snapshot, llm, settings),
            filters,
            out,
            n=args.n,
            seed=args.seed,
            on_asked=show,
        )
    left_out = "".join(f", {count} {why}" for why, count in tally.items() if why != KEPT)
    print(f"{tally[KEPT]} questions kept of {tally.total()} chunks asked{left_out}; in {out}.")
    if tally[KEPT] < args.n:
        print(f"No chunk is left to ask about, so there are fewer than {args.n}.", file=sys.stderr)
    return OK
