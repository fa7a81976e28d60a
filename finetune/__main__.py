"""Command line: train (no command's name needed), sweep, mine, questions, promote."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finetune import mine_cli, promote_cli, questions_cli, sweep_cli
from finetune.train_cli import EXAMPLES, add_training_flags
from rag_app.cli import run

Commands = argparse._SubParsersAction


@dataclass(frozen=True, slots=True)
class Command:
    """A command beside training: a line of help, and what adds it to the parser."""

    summary: str
    add: Callable[[Commands[argparse.ArgumentParser]], None]


COMMANDS = {
    "sweep": Command("search for better settings of a recipe", sweep_cli.add_command),
    "mine": Command("mine hard negatives and write them to look at", mine_cli.add_command),
    "questions": Command(
        "generate questions from your filings with an LLM", questions_cli.add_command
    ),
    "promote": Command("serve a trained model, or roll back", promote_cli.add_command),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, training where none is named; the exit codes are those of ``rag_app.cli``."""
    words = sys.argv[1:] if argv is None else list(argv)
    parser = _command_parser() if words[:1] and words[0] in COMMANDS else _training_parser()
    args = parser.parse_args(words)
    return run(args.act, args, "Stopped; the same command goes on, a training with --resume.")


def _training_parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:10} {row.summary}" for name, row in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m finetune",
        usage="python -m finetune [FLAGS]\n       python -m finetune COMMAND ...",
        description="Train a Matryoshka retriever on question-passage pairs, score it before and "
        "after at every dimension, and serve it if it is not worse.",
        epilog=f"{EXAMPLES}\ncommands beside training (COMMAND --help tells more):\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_training_flags(parser)
    return parser


def _command_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m finetune")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for row in COMMANDS.values():
        row.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
