"""``finetune sweep``: search for better settings of a recipe."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eval.data_flags import columns_of
from eval.rows import Columns
from finetune.config import Overrides, TrainConfig, load_config
from finetune.flags import FIELDS, add_recipe_flags, overrides_of, positive
from finetune.numeric_config import NUMERIC, NumericConfig, load_numeric_config
from finetune.train_cli import say
from rag_app.cli import OK, add_debug_flag
from rag_app.errors import TrainingError
from rag_app.settings import Settings, load_settings

if TYPE_CHECKING:
    from finetune.search import Value
    from finetune.sweep import Objective

NOTES = """examples:
  python -m finetune sweep --trials 20
  python -m finetune sweep --recipe numeric --base minilm --trials 30
  python -m finetune sweep --trials 10 --set evaluations=4 --max-steps 60

What may vary stands in the recipe's [search] table, less what you set yourself. Trials are judged
on dev rows, never on test rows; one that falls behind the others is given up early. The study is a
file: stop it whenever you like, and the same command goes on. --trials is how many there are to be
in all.
"""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sweep",
        help="search for better settings of a recipe",
        description="Train with many settings and keep the best by its dev score.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--trials", type=positive, default=20, metavar="N", help="in all (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=_name,
        metavar="NAME",
        help="name of the study (default: the base's and recipe's)",
    )
    add_recipe_flags(parser)
    add_debug_flag(parser)
    parser.set_defaults(act=_sweep)


def _sweep(args: argparse.Namespace) -> int:
    from finetune.search import load_space
    from finetune.sweep import BEST_FILE, sweep

    settings = load_settings()
    overrides = overrides_of(args)
    space = {
        field: values for field, values in load_space(args.recipe).items() if field not in overrides
    }
    if not space:
        raise TrainingError("Every field that may vary was set; leave one of them to the sweep.")
    config = _config(args.recipe, overrides)
    folder = settings.home / "sweeps" / (args.out or config.default_name)
    best = sweep(
        _objective(config, folder, columns_of(args), settings),
        space,
        args.trials,
        folder,
        seed=config.seed,
        say=say,
    )
    print(f"Best is trial {best.number}: {best.metric} {best.score:.4f}, with")
    for field, value in best.values.items():
        print(f"  {field} = {json.dumps(value)}")
    print(f"The study, its pictures and {BEST_FILE} are in {best.folder}. To train with these:")
    print(f"  {_command(args, best.values)}")
    return OK


def _config(recipe: str, overrides: Overrides) -> TrainConfig | NumericConfig:
    return load_numeric_config(overrides) if recipe == NUMERIC else load_config(recipe, overrides)


def _objective(
    config: TrainConfig | NumericConfig, folder: Path, columns: Columns, settings: Settings
) -> Objective:
    prompts = {
        "query_prompt": settings.query_prompt,
        "document_prompt": settings.document_prompt,
    }
    if isinstance(config, TrainConfig):
        from finetune.objective import pairs_objective

        return pairs_objective(config, settings.home, folder, columns=columns, say=say, **prompts)
    from finetune.numeric import numeric_objective

    return numeric_objective(config, settings.home, **prompts)


def _command(args: argparse.Namespace, values: Mapping[str, Value]) -> str:
    """The command that trains with the best values and all else as in the trials."""
    flags = [("recipe", args.recipe)]
    flags += [(name, getattr(args, name)) for name in FIELDS]
    for field in dataclasses.fields(Columns):
        name = f"{field.name}_column"
        flags.append((name, None if getattr(args, name) == field.default else getattr(args, name)))
    flags += [("set", setting) for setting in args.set]
    flags += [("set", f"{field}={json.dumps(value)}") for field, value in values.items()]
    words = ["python", "-m", "finetune"]
    for name, value in flags:
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name of letters, digits and dashes")
    return text
