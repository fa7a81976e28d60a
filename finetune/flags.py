"""The flags that training and sweep share, and the recipe that they resolve to."""

from __future__ import annotations

import argparse

from eval.data_flags import DATA_HELP, add_column_flags
from eval.splits import SPLITS
from finetune.config import Overrides, known_recipes, parse_overrides

RECIPE_ORDER = ("ours", "notebook")
"""The first of these that is there is trained when nobody names one."""
FIELDS = (
    *("data", "base", "split", "serve_on", "feedback_share"),
    *("max_steps", "epochs", "batch_size", "seed"),
)
"""Fields of a recipe that have a flag of their own; --set reaches the others."""
FEEDBACK_SHARE = 0.2
"""What --from-feedback stands for."""


def add_recipe_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags that name a recipe, its data, and what is changed of it."""
    recipes = known_recipes()
    parser.add_argument(
        "--recipe",
        default=next(name for name in RECIPE_ORDER if name in recipes),
        metavar="NAME",
        help=f"one of {', '.join(recipes)} (default: %(default)s)",
    )
    parser.add_argument("--data", metavar="DATA", help=f"{DATA_HELP} (default: the recipe's)")
    parser.add_argument(
        "--base",
        metavar="MODEL",
        help="minilm, a trained model, a folder or a hub name (default: the recipe's)",
    )
    parser.add_argument(
        "--split",
        choices=list(SPLITS),
        help="what held-out rows have in common with no training row (default: the recipe's)",
    )
    parser.add_argument(
        "--serve-on",
        choices=["library"],
        help="train on the chunks of your ingested filings too, as they are served",
    )
    parser.add_argument(
        "--from-feedback",
        dest="feedback_share",
        action="store_const",
        const=FEEDBACK_SHARE,
        help="train on the reviewed feedback of the chat too, repeated to be a fifth of the pairs",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change any other field of the recipe, as often as you like",
    )
    short = parser.add_argument_group("fields of the recipe that have a flag")
    short.add_argument("--max-steps", type=int, metavar="N", help="stop after N optimizer steps")
    short.add_argument("--epochs", type=int, metavar="N", help="passes over the pairs")
    short.add_argument("--batch-size", type=int, metavar="N", help="pairs in a batch")
    short.add_argument("--seed", type=int, metavar="N", help="of shuffling and dropout")
    add_column_flags(parser)


def overrides_of(args: argparse.Namespace) -> Overrides:
    """What the flags change of the recipe; a field's own flag wins over --set.

    Raises:
        TrainingError: a --set is not FIELD=VALUE.
    """
    flags = {name: getattr(args, name) for name in FIELDS}
    return parse_overrides(args.set) | {k: v for k, v in flags.items() if v is not None}


def positive(text: str) -> int:
    """A flag's value that counts something.

    Raises:
        ArgumentTypeError: it is no whole number above 0.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
