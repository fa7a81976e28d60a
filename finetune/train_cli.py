"""``finetune``: train a retriever, show what that gained, and serve it if it is not worse."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eval.data_flags import columns_of
from eval.rows import Columns
from finetune.config import load_config
from finetune.flags import add_recipe_flags, overrides_of
from finetune.hub import check_hub, push
from finetune.numeric_config import NUMERIC, load_numeric_config
from finetune.promote_cli import promote_and_tell
from rag_app.cli import OK, add_debug_flag
from rag_app.errors import TrainingError
from rag_app.index.served import withdraw
from rag_app.settings import Settings, load_settings

EXAMPLES = """examples:
  python -m finetune
  python -m finetune --data questions.csv --question-column query --out mine
  python -m finetune --from-feedback                      with what was marked in the chat
  python -m finetune --recipe notebook --base BAAI/bge-base-en-v1.5
  python -m finetune --set learning_rate=3e-5 --set "dims=[256, 128, 64]"
  python -m finetune --data questions.csv --out mine --resume    after Ctrl-C: the same flags again
"""


def add_training_flags(parser: argparse.ArgumentParser) -> None:
    """Give the parser the flags of training, which needs no command's name."""
    add_recipe_flags(parser)
    parser.add_argument(
        "--out", metavar="NAME", help="name of the new model (default: the base's and recipe's)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint of a stopped run"
    )
    parser.add_argument(
        "--no-promote",
        dest="promote",
        action="store_false",
        help="leave what is served as it is, however good the new model may be",
    )
    parser.add_argument(
        "--push-to-hub",
        metavar="OWNER/NAME",
        help="upload the finished model to a (new: private) hub repository; never done otherwise",
    )
    add_debug_flag(parser)
    parser.set_defaults(act=_train)


def _train(args: argparse.Namespace) -> int:
    settings = load_settings()
    if args.push_to_hub:
        check_hub(args.push_to_hub)
    train = _train_numeric if args.recipe == NUMERIC else _train_pairs
    train(args, settings)
    return OK


def _train_pairs(args: argparse.Namespace, settings: Settings) -> None:
    # Late, so that --help and a wrong recipe answer at once.
    config = load_config(args.recipe, overrides_of(args))
    name = _free_name(settings, args.out or config.default_name)
    from eval.tables import comparison_table
    from finetune.model_folder import BASE_REPORT, TUNED_REPORT
    from finetune.pipeline import finetune

    tuned = finetune(
        config,
        settings.home,
        name,
        resume=args.resume,
        columns=columns_of(args),
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
        encoder=settings.encoder,
        say=say,
    )
    if tuned is None:  # one of torchrun's processes that do not lead
        return
    print("\n".join(str(sample) for sample in tuned.samples))
    print(f"\n{comparison_table(tuned.comparison)}\n")
    print(f"The model is in {tuned.folder}. Use it:")
    dim, question = tuned.samples[0].dim, "What was the total revenue?"
    print(f'  python -m rag_app ask --model {tuned.name} --dim {dim} "{question}"')
    reports = f"{tuned.folder / BASE_REPORT} {tuned.folder / TUNED_REPORT}"
    print(f"  python -m eval compare {reports} --metric recall@5")
    if args.promote:
        print()
        promote_and_tell(settings, tuned.name)
    _push(args, tuned.folder)


def _push(args: argparse.Namespace, folder: Path) -> None:
    if args.push_to_hub:
        print(f"Pushed to {push(folder, args.push_to_hub)}")


def _train_numeric(args: argparse.Namespace, settings: Settings) -> None:
    if columns_of(args) != Columns():
        raise TrainingError(
            "The numeric recipe reads FinQA's own fields; leave out the --...-column flags."
        )
    from finetune.numeric import finetune_numeric

    config = load_numeric_config(overrides_of(args))
    tuned = finetune_numeric(
        config,
        settings.home,
        _free_name(settings, args.out or config.default_name),
        resume=args.resume,
        query_prompt=settings.query_prompt,
        document_prompt=settings.document_prompt,
        say=say,
    )
    print(f"{tuned.table}\n\n{tuned.verdict}\nThe model is in {tuned.folder}.")
    _push(args, tuned.folder)


def _free_name(settings: Settings, name: str) -> str:
    """A name that was promoted and whose folder is gone is served no more: what is trained under
    it now is judged anew."""
    if not (settings.home / "models" / name).exists():
        withdraw(settings.home, name)
    return name


def say(sentence: str) -> None:
    """Tell how a run goes, on stderr."""
    print(sentence, file=sys.stderr, flush=True)
