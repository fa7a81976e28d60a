"""The five financial statements as tables, drawn from the model."""

from filing import Filing
from ixbrl import Dims
from markup import Block, Heading, Num, PageBreak, Para, Row, Table
from model import (
    CURRENT_ASSETS,
    CURRENT_DEBTS,
    FINANCING,
    INVESTING,
    NON_CASH,
    OTHER_ASSETS,
    OTHER_DEBTS,
    WORKING,
)

AXIS = "us-gaap:StatementEquityComponentsAxis"
MEMBERS = {
    "par": "us-gaap:CommonStockMember",
    "apic": "us-gaap:AdditionalPaidInCapitalMember",
    "treasury": "us-gaap:TreasuryStockCommonMember",
    "aoci": "us-gaap:AccumulatedOtherComprehensiveIncomeMember",
    "retained": "us-gaap:RetainedEarningsMember",
}


def _title(f: Filing, name: str, note: str) -> list[Block]:
    """Company, name of the statement and the line that gives the units."""
    return [
        PageBreak(),
        Para(f"**{f.company.name.upper()}**", "center"),
        Heading(name, 2),
        Para(f"(In {f.company.unit}{note})", "center"),
    ]


def income_statement(f: Filing) -> Table:
    """Revenue down to earnings per share, three years."""
    m, years = f.model, f.years
    rows = [Row(f.company.labels.get("revenue_head", "Revenue:"), style="head")]
    rows += [f.row(k, years, dollar=i == 0) for i, k in enumerate(m.revenue)]
    rows.append(f.row("revenue", years, "sum"))
    if len(m.cost) > 1:
        rows.append(Row("Cost of revenue:", style="head"))
        rows += [f.row(key, years) for key in m.cost]
        rows.append(f.row("cost", years, "sum"))
    else:
        rows.append(f.row(m.cost[0], years))
    rows.append(f.row("gross", years, "sum"))
    rows.append(Row("Operating expenses:", style="head"))
    rows += f.rows(tuple(m.opex), years)
    rows += [
        f.row("opex", years, "sum"),
        f.row("operating", years, "sum"),
        f.row("interest", years, sign=-1),
        f.row("other_income", years),
        f.row("pretax", years, "sum"),
        f.row("tax", years),
        f.row("net", years, "total", dollar=True),
    ]
    word = f.company.labels.get("per_share", "Net income per share")
    for key in ("basic", "diluted"):
        concept = f"us-gaap:EarningsPerShare{key.title()}"
        cells: list[Num | str | None] = [
            Num(m.per_share(key, y), "eps", concept, y, dollar=True) for y in years
        ]
        rows.append(Row(f"{word}, {key}", cells))
    names = {
        "basic": "us-gaap:WeightedAverageNumberOfSharesOutstandingBasic",
        "diluted": "us-gaap:WeightedAverageNumberOfDilutedSharesOutstanding",
    }
    for key, concept in names.items():
        cells = [Num(m.shares[key][y], "shares", concept, y) for y in years]
        rows.append(Row(f"Weighted-average shares outstanding, {key}", cells))
    if any(m.dividend[y] for y in years):
        concept = "us-gaap:CommonStockDividendsPerShareDeclared"
        cells = [Num(m.dividend[y], "eps", concept, y, dollar=True) for y in years]
        rows.append(Row("Dividends declared per share", cells))
    return f.table(rows, years)


def balance_sheet(f: Filing) -> Table:
    """Assets, liabilities and equity at two year-ends."""
    years = f.years[:2]
    rows = [Row("ASSETS", style="head"), Row("Current assets:", style="head")]
    rows += f.rows(CURRENT_ASSETS, years)
    rows.append(f.row("current_assets", years, "sum"))
    rows += f.rows(OTHER_ASSETS, years)
    rows.append(f.row("assets", years, "total", dollar=True))
    rows += [
        Row("LIABILITIES AND STOCKHOLDERS&#8217; EQUITY", style="head"),
        Row("Current liabilities:", style="head"),
    ]
    rows += f.rows(CURRENT_DEBTS, years)
    rows.append(f.row("current_liabilities", years, "sum"))
    rows += f.rows(OTHER_DEBTS, years)
    rows.append(f.row("liabilities", years, "sum"))
    rows.append(Row("Commitments and contingencies (see notes)"))
    rows.append(Row("Stockholders&#8217; equity:", style="head"))
    rows += f.rows(tuple(MEMBERS), years)
    rows.append(f.row("equity", years, "sum"))
    rows.append(f.row("claims", years, "total", dollar=True))
    return f.table(rows, years, instant=True)


def cash_flows(f: Filing) -> Table:
    """The cash-flow statement, three years."""
    years = f.years
    m = f.model
    rows = [Row("Cash flows from operating activities:", style="head")]
    rows.append(f.row("net", years, dollar=True))
    rows.append(Row("Adjustments to reconcile to cash from operations:", style="head"))
    rows += f.rows(NON_CASH, years)
    rows.append(Row("Changes in operating assets and liabilities:", style="head"))
    rows += f.rows(WORKING, years)
    rows.append(f.row("cf_operating", years, "sum"))
    rows.append(Row("Cash flows from investing activities:", style="head"))
    rows += f.rows(INVESTING, years)
    rows.append(f.row("cf_investing", years, "sum"))
    rows.append(Row("Cash flows from financing activities:", style="head"))
    rows += f.rows(FINANCING, years)
    rows.append(f.row("cf_financing", years, "sum"))
    rows += f.rows(("cf_fx",), years)
    rows.append(f.row("cf_net", years, "sum"))
    begin: list[Num | str | None] = [f.num("cash", y - 1) for y in years]
    end: list[Num | str | None] = [f.num("cash", y, dollar=True) for y in years]
    rows.append(Row("Cash and cash equivalents, beginning of year", begin))
    rows.append(Row("Cash and cash equivalents, end of year", end, "total"))
    rows.append(Row("Supplemental disclosure:", style="head"))
    paid = {"interest": 0.96, "tax": 0.9}
    names = {"interest": "InterestPaidNet", "tax": "IncomeTaxesPaid"}
    words = {"interest": "Cash paid for interest", "tax": "Cash paid for income taxes"}
    for key, part in paid.items():
        cells: list[Num | str | None] = [
            Num(round(m(key, y) * part), concept=f"us-gaap:{names[key]}", year=y) for y in years
        ]
        rows.append(Row(words[key], cells, indent=1))
    return f.table(rows, years)


def equity(f: Filing) -> Table:
    """Stockholders' equity, one column for each component, rolled over three years."""
    m = f.model
    parts = [k for k in MEMBERS if any(m(k, y) for y in f.years)]
    moves = (
        (f.label("net"), "net", "retained"),
        ("Other comprehensive income (loss)", "oci", "aoci"),
        ("Stock-based compensation expense", "sbc", "apic"),
        ("Shares issued under employee plans", "cf_proceeds", "apic"),
        ("Shares withheld for taxes", "cf_withholding", "apic"),
        ("Common stock repurchased", "cf_repurchases", "treasury"),
        ("Cash dividends declared", "cf_dividends", "retained"),
    )

    def balance(year: int) -> Row:
        cells: list[Num | str | None] = []
        for key in parts:
            dims: Dims = ((AXIS, MEMBERS[key]),)
            concept = "us-gaap:StockholdersEquity"
            cells.append(Num(m(key, year), concept=concept, year=year, instant=True, dims=dims))
        cells.append(f.num("equity", year, dollar=True))
        return Row(f"Balance at {f.end(year)}", cells, "total")

    first = f.years[-1] - 1
    rows = [balance(first)]
    for year in reversed(f.years):
        for caption, key, part in moves:
            if not m(key, year):
                continue
            dims: Dims = ((AXIS, MEMBERS[part]),)
            cells: list[Num | str | None] = [
                f.num(key, year, dims=dims) if k == part else Num(0) for k in parts
            ]
            cells.append(f.num(key, year))
            rows.append(Row(caption, cells, indent=1))
        rows.append(balance(year))
    heads = [
        [("Components of Stockholders&#8217; Equity", len(parts)), ("Total", 1)],
        [(f.label(k).removesuffix(", at cost"), 1) for k in parts] + [("Equity", 1)],
    ]
    return Table(heads, rows, len(parts) + 1)


def comprehensive(f: Filing) -> Table:
    """Net income and other comprehensive income, three years."""
    rows = [
        f.row("net", f.years, dollar=True),
        f.row("oci", f.years),
        f.row("comprehensive", f.years, "total", dollar=True),
    ]
    return f.table(rows, f.years)


def statements(f: Filing) -> list[Block]:
    """All statements with their titles, each on its own page."""
    see = Para("The accompanying notes are an integral part of these statements.", "note")
    name = f.company.labels.get("operations", "CONSOLIDATED STATEMENTS OF INCOME")
    blocks: list[Block] = [*_title(f, name, ", except per share data"), income_statement(f), see]
    if any(f.model("oci", y) for y in f.years):
        comp = f.company.labels.get("comp_title", "CONSOLIDATED STATEMENTS OF COMPREHENSIVE INCOME")
        blocks += [Heading(comp, 2), Para(f"(In {f.company.unit})", "center"), comprehensive(f)]
    blocks += [*_title(f, "CONSOLIDATED BALANCE SHEETS", ""), balance_sheet(f), see]
    blocks += [*_title(f, "CONSOLIDATED STATEMENTS OF CASH FLOWS", ""), cash_flows(f), see]
    title = "CONSOLIDATED STATEMENTS OF STOCKHOLDERS&#8217; EQUITY"
    return [*blocks, *_title(f, title, ""), equity(f), see]
