"""Flags that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from rag_app.cli import add_debug_flag

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object


def add_common_flags(
    parser: argparse.ArgumentParser, act: Callable[[argparse.Namespace], int]
) -> None:
    """Give a command ``--json`` and ``--debug``, and the function that it runs."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_debug_flag(parser)
    parser.set_defaults(act=act)


def whole_numbers(text: str) -> list[int]:
    """``384,128`` as numbers.

    Raises:
        ArgumentTypeError: one of them is none.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of whole numbers such as 384,128"
        ) from None
