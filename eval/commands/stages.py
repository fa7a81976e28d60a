"""``eval stages``: where on the way to the answer a gain of tuning survives."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.flags import Commands, add_common_flags, whole_numbers
from eval.commands.run import add_choice_flags, choices_of
from eval.data_flags import DATA_HELP
from eval.files import prepare_out
from eval.metrics import METRICS
from rag_app.cli import OK, open_embedder
from rag_app.errors import DataError, ModelError
from rag_app.settings import load_settings

if TYPE_CHECKING:
    from rag_app.index.embedder import Embedder

ANSWERED = 100


def add_stages(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "stages",
        help="base beside tuned at every stage up to the cited answer",
        description="Ask the same questions of dense search at each dimension, of BM25, of both "
        "fused, and for cited answers, of two models over your library; say where on the way a "
        "gain is lost. It reads the stored vectors of both models and builds no index.",
    )
    parser.add_argument("--data", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--protocol",
        default="questions",
        metavar="NAME",
        help="questions, paraphrased or filings, as for run (default: %(default)s)",
    )
    parser.add_argument("--model", metavar="NAME", help="the tuned model (default: settings)")
    parser.add_argument(
        "--against", metavar="NAME", help="the base (default: what the model was tuned from)"
    )
    parser.add_argument(
        "--dims",
        type=whole_numbers,
        metavar="N,N",
        help="dimensions to search at, such as 384,128 (default: all that both models have)",
    )
    parser.add_argument(
        "--metric",
        default="ndcg@10",
        choices=METRICS,
        help="metric of the rankings (default: %(default)s)",
    )
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument(
        "--answers",
        type=int,
        default=ANSWERED,
        metavar="N",
        help="questions that are answered, spread over all of them (default: %(default)s); "
        "the settings choose the LLM, as for ask",
    )
    answers.add_argument("--no-answers", action="store_true", help="rank only")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON to write (default: none)")
    add_choice_flags(parser)
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Follow two models from the ranking to the answer."""
    from eval.answers import REFERENCES, Answering, pick
    from eval.protocols import build_evalset
    from eval.searches import stages_at
    from eval.stage_report import stages_record, stages_table
    from eval.stages import follow, turns
    from rag_app.bars import counting_bar
    from rag_app.chat.llm import open_llm
    from rag_app.index.rerank import open_reranker
    from rag_app.library import Library
    from rag_app.sealed import write_whole

    _check_flags(args, tuple(REFERENCES))
    settings = load_settings(model=args.model)
    base, tuned = _models(args)
    dims = _dims(args.dims, base, tuned)
    answer_dim = dims[0] if settings.dim is None else settings.dim
    if answer_dim not in dims:
        raise ModelError(
            f"The settings serve {answer_dim} dimensions, which is not among {_listed(dims)}; "
            "name it in --dims or change the setting `dim`."
        )
    if args.out:  # refused before the minutes of asking, not after
        prepare_out(args.out)
    choices = choices_of(args)
    evalset = build_evalset(args.protocol, args.data, settings.home, choices)
    answering = None
    if not args.no_answers:
        answering = Answering(
            query_ids=tuple(pick(evalset, args.answers)),
            dim=answer_dim,
            settings=settings,
            llm=open_llm(settings),
            references=REFERENCES[args.protocol](args.data, choices),
        )
    reranker = open_reranker(settings.reranker) if settings.reranker else None
    stages = stages_at(settings.dense_share, reranker)
    library = Library(settings.home)
    with counting_bar("Asking", turns(evalset, dims, answering, stages), "questions") as asked:
        found = follow(evalset, library, (base, tuned), dims, args.metric, answering, asked, stages)
    record = json.dumps(stages_record(found), indent=2)
    if args.out:
        write_whole(args.out, f"{record}\n".encode())
    written = f"\n\nWritten to {args.out}." if args.out else ""
    print(record if args.json else stages_table(found) + written)
    return OK


def _check_flags(args: argparse.Namespace, protocols: tuple[str, ...]) -> None:
    if args.protocol not in protocols:
        raise DataError(
            f"The stages are asked of your library, which {args.protocol} does not do; choose "
            f"--protocol {' or '.join(protocols)}."
        )
    if args.answers < 1:
        raise DataError(f"--answers {args.answers} answers nothing; use --no-answers for that.")
    if args.stock:
        raise DataError("--stock says nothing to stages; leave it out, or use it with run.")


def _models(args: argparse.Namespace) -> tuple[Embedder, Embedder]:
    """Base and tuned.

    Raises:
        ModelError: there is no such model, or both are the same.
    """
    from eval.training_record import base_of

    tuned = open_embedder(load_settings(model=args.model))
    base = open_embedder(load_settings(model=args.against or base_of(tuned.spec)))
    if base.spec.fingerprint == tuned.spec.fingerprint:
        raise ModelError(
            f"{tuned.spec.name} would be held against itself; name a tuned model with --model "
            "and its base with --against."
        )
    return base, tuned


def _dims(asked: list[int] | None, base: Embedder, tuned: Embedder) -> list[int]:
    """The dimensions to search at, widest first.

    Raises:
        ModelError: a model lacks one, or they share none.
    """
    shared = [dim for dim in base.spec.dims if dim in tuned.spec.dims]
    if not shared:
        raise ModelError(
            f"{base.spec.name} ({_listed(base.spec.dims)}) and {tuned.spec.name} "
            f"({_listed(tuned.spec.dims)}) share no dimension; choose another --against."
        )
    for dim in asked or ():
        base.spec.check_dim(dim)
        tuned.spec.check_dim(dim)
    return sorted(set(asked or shared), reverse=True)


def _listed(dims: Sequence[int]) -> str:
    return ", ".join(map(str, dims))
