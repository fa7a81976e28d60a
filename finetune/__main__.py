"""Command line: train a retriever on your own questions and show what that gained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from finetune.config import known_recipes, load_config
from rag_app.cli import OK, add_debug_flag, run
from rag_app.settings import load_settings

EXAMPLES = """examples:
  python -m finetune
  python -m finetune --data questions.csv --out mine
  python -m finetune --base BAAI/bge-base-en-v1.5      the published base, from the hub
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Train; the exit codes are those of ``rag_app.cli``."""
    return run(_train, _parser().parse_args(argv))


def _train(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    config = load_config(
        arguments.recipe,
        {
            name: getattr(arguments, name)
            for name in ("data", "base", "max_steps", "epochs", "batch_size", "seed")
        },
    )
    # Late, so that --help and a wrong recipe answer at once.
    from eval.report import comparison_table
    from finetune.model_folder import BASE_REPORT, TUNED_REPORT
    from finetune.pipeline import finetune

    tuned = finetune(
        config,
        settings.home,
        arguments.out or config.default_name,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
        say=_say,
    )
    print("\n".join(str(sample) for sample in tuned.samples))
    print(f"\n{comparison_table(tuned.comparison)}\n")
    print(f"The model is in {tuned.folder}. Use it:")
    dim, question = tuned.samples[0].dim, "What was the total revenue?"
    print(f'  python -m rag_app ask --model {tuned.name} --dim {dim} "{question}"')
    reports = f"{tuned.folder / BASE_REPORT} {tuned.folder / TUNED_REPORT}"
    print(f"  python -m eval compare {reports} --metric recall@5")
    return OK


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m finetune",
        description="Train a Matryoshka retriever on question-passage pairs; score it before and "
        "after at every dimension.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--recipe",
        default="notebook",
        metavar="NAME",
        help=f"one of {', '.join(known_recipes())} (default: %(default)s)",
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="CSV or JSONL file, or a hub data set (default: the recipe's)",
    )
    parser.add_argument(
        "--base",
        metavar="MODEL",
        help="minilm, a trained model, a folder or a hub name (default: the recipe's)",
    )
    parser.add_argument(
        "--out", metavar="NAME", help="name of the new model (default: the base's and recipe's)"
    )
    parser.add_argument(
        "--max-steps", type=int, metavar="N", help="stop after N optimizer steps, for a trial"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the pairs")
    parser.add_argument("--batch-size", type=int, metavar="N", help="pairs in a batch")
    parser.add_argument("--seed", type=int, metavar="N", help="of shuffling and dropout")
    add_debug_flag(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
