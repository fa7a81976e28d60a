"""Works out a company's statements from its inputs, so that every total ties to the others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

BALANCE_YEARS = (2020, 2021, 2022, 2023, 2024)
FLOW_YEARS = BALANCE_YEARS[1:]

CURRENT_ASSETS = ("cash", "securities", "receivables", "inventories", "costs_current", "prepaid")
OTHER_ASSETS = ("ppe", "rou", "goodwill", "intangibles", "costs_long", "other_assets")
CURRENT_DEBTS = ("payables", "accrued", "deferred_revenue", "lease_current", "debt_current")
OTHER_DEBTS = ("debt_long", "lease_long", "deferred_tax", "other_liabilities")
EQUITY = ("par", "apic", "treasury", "aoci", "retained")

NON_CASH = ("depreciation", "amortization", "impairment", "sbc", "cf_deferred_tax", "cf_leases")
WORKING = (
    "cf_receivables",
    "cf_inventories",
    "cf_costs",
    "cf_prepaid",
    "cf_payables",
    "cf_accrued",
    "cf_deferred_revenue",
)
INVESTING = ("cf_capex", "cf_acquisition", "cf_purchases", "cf_maturities")
FINANCING = (
    "cf_borrowings",
    "cf_repayments",
    "cf_dividends",
    "cf_repurchases",
    "cf_proceeds",
    "cf_withholding",
)


class Model:
    """Yearly figures by key; built from flows (2021-2024) and balances (2020-2024)."""

    def __init__(
        self,
        revenue: Sequence[str],
        cost: Sequence[str],
        opex: Sequence[str],
        flows: Mapping[str, Sequence[int]],
        balances: Mapping[str, Sequence[int]],
        opening: Mapping[str, int],
        shares: Mapping[str, Sequence[float]],
        dividend: Sequence[float],
    ) -> None:
        self.revenue, self.cost, self.opex = revenue, cost, opex
        self.v: dict[str, dict[int, int]] = defaultdict(lambda: dict.fromkeys(BALANCE_YEARS, 0))
        for key, values in flows.items():
            self.v[key] = dict(zip(FLOW_YEARS, values, strict=True))
        for key, values in balances.items():
            self.v[key] = dict(zip(BALANCE_YEARS, values, strict=True))
        for key, value in opening.items():
            self.v[key] = {2020: value}
        self.shares = {k: dict(zip(FLOW_YEARS, s, strict=True)) for k, s in shares.items()}
        self.dividend = dict(zip(FLOW_YEARS, dividend, strict=True))
        self._open()
        for year in FLOW_YEARS:
            self._earn(year)
            self._flow(year)
            self._close(year)
        self._check()

    def __call__(self, key: str, year: int) -> int:
        """The figure of a key in a year (zero where the company has none)."""
        return self.v[key][year] if key in self.v else 0

    def total(self, keys: Sequence[str], year: int) -> int:
        """Sum of several keys in one year."""
        return sum(self(key, year) for key in keys)

    def change(self, key: str, year: int) -> int:
        """How much a balance moved in the year."""
        return self(key, year) - self(key, year - 1)

    def per_share(self, key: str, year: int) -> float:
        """Net income over 'basic' or 'diluted' shares."""
        return round(self("net", year) / self.shares[key][year], 2)

    def growth(self, key: str, year: int) -> float:
        """Change on the year before, in per cent."""
        before = self(key, year - 1)
        return round(100 * (self(key, year) - before) / abs(before), 1)

    def share_of(self, key: str, base: str, year: int) -> float:
        """A figure as a percentage of another."""
        return round(100 * self(key, year) / self(base, year), 1)

    def _open(self) -> None:
        """Sets opening retained earnings so that the first balance sheet balances."""
        self.v["retained"] = {2020: 0}
        self._sum_balances(2020)
        self.v["retained"][2020] = self("assets", 2020) - self("claims", 2020)
        self._sum_balances(2020)

    def _set(self, key: str, year: int, value: int) -> None:
        self.v[key][year] = value

    def _earn(self, year: int) -> None:
        """Income statement subtotals, net income and dividends."""
        self._set("revenue", year, self.total(self.revenue, year))
        self._set("cost", year, self.total(self.cost, year))
        self._set("gross", year, self("revenue", year) - self("cost", year))
        self._set("opex", year, self.total(self.opex, year))
        self._set("operating", year, self("gross", year) - self("opex", year))
        other = self("other_income", year) - self("interest", year)
        self._set("pretax", year, self("operating", year) + other)
        self._set("net", year, self("pretax", year) - self("tax", year))
        self._set("oci", year, self.change("aoci", year))
        self._set("comprehensive", year, self("net", year) + self("oci", year))
        paid = round(self.dividend[year] * self.shares["basic"][year])
        self._set("dividends", year, paid)

    def _flow(self, year: int) -> None:
        """Every cash-flow line and the three subtotals."""
        d = {key: self.change(key, year) for key in list(self.v) if 2020 in self.v[key]
             and year in self.v[key]}
        debt = d.get("debt_current", 0) + d["debt_long"]
        costs = d.get("costs_current", 0) + d.get("costs_long", 0)
        acquired = d["goodwill"] + self("acquired_intangibles", year)
        lines = {
            "cf_deferred_tax": d["deferred_tax"],
            "cf_leases": d["lease_current"] + d["lease_long"] - d["rou"],
            "cf_receivables": -d["receivables"],
            "cf_inventories": -d.get("inventories", 0),
            "cf_costs": -costs,
            "cf_prepaid": -d["prepaid"] - d["other_assets"],
            "cf_payables": d["payables"],
            "cf_accrued": d["accrued"] + d["other_liabilities"],
            "cf_deferred_revenue": d["deferred_revenue"],
            "cf_capex": -self("capex", year),
            "cf_acquisition": -acquired,
            "cf_purchases": -self("purchases", year),
            "cf_maturities": self("purchases", year) - d.get("securities", 0),
            "cf_borrowings": debt + self("repayments", year),
            "cf_repayments": -self("repayments", year),
            "cf_dividends": -self("dividends", year),
            "cf_repurchases": -self("repurchases", year),
            "cf_proceeds": self("proceeds", year),
            "cf_withholding": -self("withholding", year),
            "cf_fx": self("oci", year),
        }
        for key, value in lines.items():
            self._set(key, year, value)
        operating = self("net", year) + self.total(NON_CASH + WORKING, year)
        self._set("cf_operating", year, operating)
        self._set("cf_investing", year, self.total(INVESTING, year))
        self._set("cf_financing", year, self.total(FINANCING, year))
        flows = ("cf_operating", "cf_investing", "cf_financing", "cf_fx")
        self._set("cf_net", year, self.total(flows, year))
        self._set("free_cash", year, operating - self("capex", year))

    def _close(self, year: int) -> None:
        """Rolls the balances that follow from the year's flows."""
        last = year - 1
        grown = self("capex", year) - self("depreciation", year) - self("impairment", year)
        issued = self("sbc", year) + self("proceeds", year) - self("withholding", year)
        bought = self("acquired_intangibles", year) - self("amortization", year)
        rolls = {
            "cash": self("cf_net", year),
            "ppe": grown,
            "intangibles": bought,
            "apic": issued,
            "treasury": -self("repurchases", year),
            "retained": self("net", year) - self("dividends", year),
        }
        for key, move in rolls.items():
            self._set(key, year, self(key, last) + move)
        self._sum_balances(year)

    def _sum_balances(self, year: int) -> None:
        """Balance-sheet totals."""
        self._set("current_assets", year, self.total(CURRENT_ASSETS, year))
        self._set("assets", year, self.total(("current_assets", *OTHER_ASSETS), year))
        self._set("current_liabilities", year, self.total(CURRENT_DEBTS, year))
        self._set("liabilities", year, self.total(("current_liabilities", *OTHER_DEBTS), year))
        self._set("equity", year, self.total(EQUITY, year))
        self._set("claims", year, self.total(("liabilities", "equity"), year))

    def _check(self) -> None:
        """Stops the run if a statement does not tie."""
        for year in BALANCE_YEARS:
            assert self("assets", year) == self("claims", year), f"{year} does not balance"
            assert self("cash", year) > 0, f"no cash left in {year}"
        for year in FLOW_YEARS:
            assert self("cash", year) - self("cash", year - 1) == self("cf_net", year)


def split(total: int, weights: Sequence[float]) -> list[int]:
    """Divides a total by weights into whole parts that sum to it."""
    whole = sum(weights)
    parts = [round(total * weight / whole) for weight in weights[:-1]]
    return [*parts, total - sum(parts)]
