"""The flags that name the columns of ``--data``, shared by the commands that read rows."""

from __future__ import annotations

import argparse
import dataclasses

from eval.rows import Columns

DATA_HELP = (
    "CSV, JSONL, Parquet or LlamaIndex JSON file, BEIR folder, chat feedback (JSONL), or a hub "
    "data set such as virattt/financial-qa-10K"
)


def add_column_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser ``--question-column`` and its like, which ``columns_of`` reads."""
    group = parser.add_argument_group("columns of the data")
    for field in dataclasses.fields(Columns):
        group.add_argument(
            f"--{field.name}-column",
            default=field.default,
            metavar="NAME",
            help=f"holds the {field.name} (default: %(default)s)",
        )


def columns_of(args: argparse.Namespace) -> Columns:
    """The columns that the flags name."""
    return Columns(
        **{
            field.name: getattr(args, f"{field.name}_column")
            for field in dataclasses.fields(Columns)
        }
    )
