"""What a person may choose of an evaluation beside its data and its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eval.rows import Columns


@dataclass(frozen=True, slots=True)
class Choices:
    """Each is a flag of ``eval run``; a protocol refuses what it has no use for.

    ``companies`` restricts the questions to these tickers. ``corpus`` is ``all`` for every filing
    of the library, ``asked`` for those alone that a question is asked of. ``overlap`` is the CSV
    that says which file holds each row's context. ``fold`` is ``2/5`` for the second of five.
    ``stock`` asks for stock LlamaIndex parts beside ours. ``columns`` are those of rows.
    """

    companies: tuple[str, ...] = ()
    corpus: str = "all"
    overlap: Path | None = None
    fold: str = ""
    stock: bool = False
    columns: Columns = Columns()  # noqa: RUF009 - frozen
