"""The flags of `ask`: which filings it is asked of, several values each."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence

from rag_app.errors import RagError
from rag_app.question import NO_QUESTION, in_words
from rag_app.records import Filters

_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?")
_PERIOD = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
SEVERAL = ("ticker", "form", "year", "period", "item")


def add_filter_flags(ask: argparse.ArgumentParser) -> None:
    """Add the question and the flags that ``question_and_filters`` reads."""
    ask.add_argument("question", nargs="?")
    rows = {
        "ticker": "only these companies: tickers, CIKs or names",
        "form": "only these forms",
        "year": "only these fiscal years; a range too: 2021-2023",
        "period": "only filings whose period ends then: 2023-09-30, 2023-09 or 2023",
        "item": "only these Items: 7 7A; II-1A in the second part of a 10-Q",
    }
    for name, text in rows.items():
        ask.add_argument(f"--{name}", nargs="+", default=[], metavar=name.upper(), help=text)
    ask.add_argument(
        "--no-auto-filter",
        dest="auto_filter",
        action="store_const",
        const=False,
        help="do not filter by companies, years, forms and Items that the question names",
    )


def question_and_filters(args: argparse.Namespace) -> tuple[str, Filters]:
    """What is asked, and of which filings.

    Raises:
        RagError: there is no question in words, or a value that is none.
    """
    question = args.question or _taken_back(args)
    if not question:
        raise RagError('Give a question: python -m rag_app ask "What was revenue in 2023?"')
    check_named({name: getattr(args, name) for name in SEVERAL})
    if not in_words(question):
        raise RagError(NO_QUESTION)
    for period in args.period:
        if not _PERIOD.fullmatch(period):
            raise RagError(f"--period {period} is no date; give 2023-09-30, 2023-09 or 2023.")
    years = years_named(args.year)
    items = [item.upper() for item in args.item]
    return question, Filters(args.ticker, args.form, years, args.period, items)


def check_named(flags: Mapping[str, str | Sequence[str]]) -> None:
    """Refuse a filter that names nothing, as an unset variable of a shell does: left out, it would
    let everything pass.

    Raises:
        RagError: a value is empty.
    """
    for name, values in flags.items():
        if not all(value.strip() for value in ([values] if isinstance(values, str) else values)):
            raise RagError(f"--{name} is given an empty value; name one, or leave the flag out.")


def _taken_back(args: argparse.Namespace) -> str:
    """A question that stands behind a flag of several values was taken for one of them."""
    for name in SEVERAL:
        values = getattr(args, name)
        if len(values) > 1 and " " in values[-1].strip():
            return str(values.pop())
    return ""


def years_named(named: Sequence[str]) -> list[int]:
    """The fiscal years of ``--year 2019 2021-2023``.

    Raises:
        RagError: one is no year and no range.
    """
    return [year for each in named for year in _years(each)]


def _years(named: str) -> range:
    match = _YEARS.fullmatch(named)
    if not match or int(match[2] or match[1]) < int(match[1]):
        raise RagError(f"--year {named} is no fiscal year; give 2023, or a range: 2021-2023.")
    return range(int(match[1]), int(match[2] or match[1]) + 1)
