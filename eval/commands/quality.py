"""``eval quality``: how a model's vectors lie, what it takes for alike, and what it forgot."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from eval.commands.flags import Commands, add_common_flags, whole_numbers
from eval.data_flags import DATA_HELP, add_column_flags, columns_of
from rag_app.cli import OK, open_embedder
from rag_app.settings import load_settings


def add_quality(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "quality",
        help="the embedding space, probes of financial terms, and what tuning forgot",
        description="Per dimension: how the vectors lie in space, whether synonyms come out above "
        "unrelated terms, and nDCG@10 on general text; the base beside the tuned model.",
    )
    parser.add_argument("--model", metavar="NAME", help="as for run (default: settings)")
    parser.add_argument(
        "--against",
        metavar="NAME",
        help="the model to set beside it (default: the one that it was tuned from)",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help=f"its questions and contexts are where the space is measured: {DATA_HELP} (default: "
        "the general set that ships here)",
    )
    parser.add_argument(
        "--texts",
        type=int,
        default=2000,
        metavar="N",
        help="questions and contexts drawn of the data, together (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of that draw (default: %(default)s)")
    parser.add_argument(
        "--dims", type=whole_numbers, metavar="N,N", help="as for run (default: all)"
    )
    parser.add_argument(
        "--probes", type=Path, metavar="TOML", help="your own pairs (default: eval/probes.toml)"
    )
    parser.add_argument(
        "--nanobeir",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="SET,SET",
        help="also score these sets of NanoBEIR, such as msmarco,nq, or all; fetched from the hub",
    )
    add_column_flags(parser)
    add_common_flags(parser, run)


def run(args: argparse.Namespace) -> int:
    """Measure a model and its base."""
    from eval.cache import CachedEmbedder
    from eval.forgetting import NANO_SETS, general_set, nano_set
    from eval.full_report import encoding_bar
    from eval.probes import PROBES, load_probes
    from eval.quality_report import measure_quality, quality_record, quality_text
    from eval.training_record import base_of

    settings = load_settings(model=args.model)
    embedder = open_embedder(settings)
    dims = [embedder.spec.check_dim(dim) for dim in args.dims or embedder.spec.dims]
    base = args.against or base_of(embedder.spec)
    beside = None
    if base != embedder.spec.name:
        beside = CachedEmbedder(open_embedder(load_settings(model=base)), settings.home)
    # All that can be refused is refused before the minutes of encoding.
    probes = load_probes(args.probes or PROBES)
    general = general_set(settings.home)
    wanted = tuple(NANO_SETS) if args.nanobeir == ("all",) else args.nanobeir
    nano = [nano_set(name) for name in wanted]
    if args.data:
        of, texts = _sampled(args)
    else:
        right = {id_: next(iter(found)) for id_, found in general.qrels.items()}
        texts = (
            [general.queries[id_] for id_ in right],
            [general.corpus[passage_id] for passage_id in right.values()],
        )
        of = f"{len(right)} questions of the general set and their passages"
    with encoding_bar("quality", None) as advance:
        quality = measure_quality(
            CachedEmbedder(embedder, settings.home),
            beside,
            dims,
            of,
            texts,
            probes,
            [general, *nano],
            advance,
        )
    if args.json:
        print(json.dumps(quality_record(quality), indent=2))
    else:
        print(quality_text(quality))
    return OK


def _sampled(args: argparse.Namespace) -> tuple[str, tuple[list[str], list[str]]]:
    from eval.quality import sample_pairs
    from eval.rows import load_qa_rows

    questions, contexts = sample_pairs(
        load_qa_rows(args.data, columns_of(args)), args.texts, args.seed
    )
    name = Path(args.data).name or args.data
    return f"{len(questions)} questions of {name} and their contexts", (questions, contexts)
