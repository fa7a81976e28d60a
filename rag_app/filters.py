"""Filters: which filings, and which Items of them, a question is asked of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_app.records import Filing

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, init=False)
class Filters:
    """An empty field does not restrict; several values of a field admit any of them.

    A field may be given as one value or as several: ``Filters("NVDA", fiscal_year=[2022, 2023])``.
    """

    ticker: tuple[str, ...]
    """Companies: a ticker, a CIK, or the name as the cover prints it."""
    form: tuple[str, ...]
    fiscal_year: tuple[int, ...]
    period: tuple[str, ...]
    """How the period's end begins: ``2023-01-29``, ``2023-01`` or ``2023``."""
    item: tuple[str, ...]
    """Items as chunks name them: ``7A``, or ``II-1A`` in the second part of a 10-Q."""

    def __init__(
        self,
        ticker: str | Iterable[str] = (),
        form: str | Iterable[str] = (),
        fiscal_year: int | Iterable[int] | None = None,
        period: str | Iterable[str] = (),
        item: str | Iterable[str] = (),
    ) -> None:
        years = (fiscal_year,) if isinstance(fiscal_year, int) else fiscal_year or ()
        object.__setattr__(self, "ticker", _several(ticker))
        object.__setattr__(self, "form", _several(form))
        object.__setattr__(self, "fiscal_year", tuple(dict.fromkeys(years)))
        object.__setattr__(self, "period", _several(period))
        object.__setattr__(self, "item", _several(item))

    def __bool__(self) -> bool:
        return bool(self.ticker or self.form or self.fiscal_year or self.period or self.item)

    def __str__(self) -> str:
        years = f"fiscal {_listed(map(str, self.fiscal_year))}" if self.fiscal_year else ""
        periods = f"period to {_listed(self.period)}" if self.period else ""
        items = f"Item {_listed(self.item)}" if self.item else ""
        parts = (_listed(self.ticker), _listed(self.form), years, periods, items)
        return " ".join(filter(None, parts)) or "all filings"

    def admits(self, filing: Filing) -> bool:
        """Whether a filing passes every field that is set."""
        names = (filing.ticker, filing.cik, filing.cik.lstrip("0"), filing.company)
        who = {name.upper() for name in names if name}
        ends = filing.period_end.isoformat()
        return (
            (not self.ticker or any(one.upper() in who for one in self.ticker))
            and (not self.form or filing.form.upper() in map(str.upper, self.form))
            and (not self.fiscal_year or filing.fiscal_year in self.fiscal_year)
            and (not self.period or ends.startswith(self.period))
        )

    def admits_item(self, item: str) -> bool:
        """Whether a chunk of this Item passes."""
        return not self.item or item.upper() in map(str.upper, self.item)

    def as_json(self) -> dict[str, Any]:
        """The fields that are set, as plain JSON values."""
        named: Mapping[str, tuple[Any, ...]] = {
            "ticker": self.ticker,
            "form": self.form,
            "fiscal_year": self.fiscal_year,
            "period": self.period,
            "item": self.item,
        }
        return {name: list(values) for name, values in named.items() if values}


def item_order(item: str) -> tuple[str, float, str]:
    """Part, number, letter: ``1A`` before ``7`` before ``10``, ``II-1A`` behind them."""
    part, _, rest = item.rpartition("-")
    number = _NUMBER.match(rest)
    return part, float(number[0]) if number else 0.0, rest


def _several(given: str | Iterable[str]) -> tuple[str, ...]:
    values = (given,) if isinstance(given, str) else given
    return tuple(dict.fromkeys(value for value in values if value))


def _listed(values: Iterable[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    *first, last = [*values] or [""]
    return f"{', '.join(first)} and {last}" if first else last
