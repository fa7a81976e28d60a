"""One filing in the making: a company, a fiscal year, its figures and how to phrase them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from ixbrl import Dims, Facts
from lines import LINES
from markup import Num, Row, Table
from model import Model

T = TypeVar("T")


@dataclass(frozen=True)
class Company:
    """What stands on the cover and stays the same from year to year."""

    name: str
    short: str
    ticker: str
    prefix: str
    cik: str
    file_number: str
    ein: str
    state: str
    street: str
    town: str
    phone: str
    exchange: str
    stock: str
    unit: str
    scale: int
    fiscal: str
    periods: Mapping[int, tuple[str, str]]
    auditor: str
    auditor_town: str
    auditor_since: int
    officers: tuple[tuple[str, str], ...]
    float_value: Mapping[int, str]
    float_date: Mapping[int, str]
    outstanding: Mapping[int, int]
    outstanding_date: Mapping[int, str]
    filed: Mapping[int, str]
    labels: Mapping[str, str]
    figures: Callable[[int], Model]
    restated_in: int = 0


def long_date(iso: str) -> str:
    """2024-12-31 as December 31, 2024."""
    day = date.fromisoformat(iso)
    return f"{day:%B} {day.day}, {day.year}"


@dataclass
class Filing:
    """A company's 10-K of one fiscal year."""

    company: Company
    year: int
    model: Model = field(init=False)
    facts: Facts = field(init=False)

    def __post_init__(self) -> None:
        c = self.company
        self.model = c.figures(self.year)
        self.facts = Facts(c.prefix, c.cik, c.periods[self.year][1], dict(c.periods))

    @property
    def last(self) -> int:
        """The fiscal year before."""
        return self.year - 1

    @property
    def years(self) -> tuple[int, int, int]:
        """The three years the statements show, newest first."""
        return self.year, self.year - 1, self.year - 2

    def end(self, year: int) -> str:
        """The last day of a fiscal year, in words."""
        return long_date(self.company.periods[year][1])

    def fy(self, year: int) -> str:
        """How the company calls a fiscal year in its prose."""
        return f"{self.company.fiscal}{year}"

    def weeks(self, year: int) -> int:
        """Whole weeks in the fiscal year."""
        start, end = (date.fromisoformat(day) for day in self.company.periods[year])
        return ((end - start).days + 1) // 7

    def pick(self, first: T, second: T) -> T:
        """The words (or figures) of the fiscal 2023 filing or those of the fiscal 2024 filing."""
        return first if self.year == 2023 else second

    def amount(self, value: int) -> str:
        """A statement figure as prose writes it: $412.3 million from 412,312 thousand."""
        size = abs(value)
        if self.company.scale == 6:
            return f"${size / 1000:.2f} billion" if size >= 1000 else f"${size} million"
        return f"${size / 1000:,.1f} million"

    def money(self, key: str, year: int | None = None) -> str:
        """A model figure in prose."""
        return self.amount(self.model(key, year or self.year))

    def moved(self, key: str, year: int | None = None) -> str:
        """'increased 2.8%' or 'decreased 1.1%' against the year before."""
        rate = self.model.growth(key, year or self.year)
        return f"{'increased' if rate >= 0 else 'decreased'} {abs(rate)}%"

    def ratio(self, key: str, base: str = "revenue", year: int | None = None) -> str:
        """One figure as a percentage of another, in prose."""
        return f"{self.model.share_of(key, base, year or self.year)}%"

    def label(self, key: str) -> str:
        """The company's own caption of a statement line."""
        return self.company.labels.get(key) or LINES[key][0]

    def num(
        self, key: str, year: int, sign: int = 1, dims: Dims = (), dollar: bool = False
    ) -> Num:
        """A model figure as a tagged table figure."""
        _, concept, instant, flip = LINES.get(key, ("", "", False, False))
        name = key.title().replace("_", "")
        if key in self.model.revenue:
            concept = "us-gaap:RevenueFromContractWithCustomerExcludingAssessedTax"
            dims = (("srt:ProductOrServiceAxis", f"{name}Member"),)
        elif not concept:
            concept = f"{self.company.prefix}:{name}"
        value = sign * self.model(key, year)
        return Num(
            value,
            concept=concept,
            year=year,
            instant=instant,
            dims=dims,
            flip=flip != (sign < 0),
            dollar=dollar,
        )

    def row(
        self,
        key: str,
        years: tuple[int, ...],
        style: str = "plain",
        sign: int = 1,
        dollar: bool = False,
    ) -> Row:
        """A statement line over several years."""
        cells: list[Num | str | None] = [self.num(key, y, sign, dollar=dollar) for y in years]
        return Row(self.label(key), cells, style, 0 if style in ("total", "head") else 1)

    def rows(self, keys: tuple[str, ...], years: tuple[int, ...]) -> list[Row]:
        """Lines of which at least one year is not zero."""
        return [self.row(key, years) for key in keys if any(self.model(key, y) for y in years)]

    def heads(self, years: tuple[int, ...], instant: bool = False) -> list[list[tuple[str, int]]]:
        """Stacked column heads: a spanning line, the dates, and the weeks where they differ."""
        span = len(years)
        if self.company.scale == 6 and not instant:
            return [
                [("Fiscal Year Ended", span)],
                [(self.end(y), 1) for y in years],
                [(f"({self.weeks(y)} weeks)", 1) for y in years],
            ]
        if self.company.scale == 6:
            return [[(self.end(y), 1) for y in years]]
        day = self.end(years[0]).rpartition(" ")[0]
        heads = [
            [(("" if instant else "Fiscal Year Ended ") + day, span)],
            [(str(y), 1) for y in years],
        ]
        if self.company.restated_in == self.year and self.last in years:
            heads.append([("(As restated)" if y == self.last else "", 1) for y in years])
        return heads

    def table(self, rows: list[Row], years: tuple[int, ...], instant: bool = False) -> Table:
        """A table with one column for each year."""
        return Table(self.heads(years, instant), rows, len(years))

    def split_rows(
        self,
        parts: list[tuple[str, dict[int, int]]],
        total: str,
        years: tuple[int, ...],
        instant: bool = False,
        concepts: dict[str, str] | None = None,
    ) -> Table:
        """A table of parts and their total, which is summed here."""
        names = concepts or {}
        rows = [
            Row(name, [
                Num(v[y], concept=names.get(name, ""), year=y, instant=instant, dollar=i == 0)
                for y in years
            ], indent=1)
            for i, (name, v) in enumerate(parts)
        ]
        sums: list[Num | str | None] = [
            Num(sum(v[y] for _, v in parts), concept=names.get(total, ""), year=y,
                instant=instant, dollar=True)
            for y in years
        ]
        return self.table([*rows, Row(total, sums, "total")], years, instant)
