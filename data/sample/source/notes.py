"""Notes to the statements that every company has, filled from the model."""

from filing import Filing
from markup import Block, Num, Row, Table, prose
from model import split

Note = tuple[str, list[Block]]


def parts(f: Filing, total: str, weights: dict[str, float]) -> list[tuple[str, dict[int, int]]]:
    """Splits a model line by weights for each of the three years shown."""
    by_year = {y: split(f.model(total, y), list(weights.values())) for y in f.years}
    return [(name, {y: by_year[y][i] for y in f.years}) for i, name in enumerate(weights)]


def numbered(notes: list[Note]) -> list[Block]:
    """The notes under running numbers."""
    out: list[Block] = []
    for i, (title, blocks) in enumerate(notes, 1):
        out += [*prose(f"## Note {i}. {title}"), *blocks]
    return out


def property_note(f: Filing, weights: dict[str, float], lives: str) -> Note:
    """Gross cost by class, accumulated depreciation and the net amount."""
    years = f.years[:2]
    base = f.model("ppe", 2020)
    spent = "us-gaap:AccumulatedDepreciationDepletionAndAmortizationPropertyPlantAndEquipment"
    done = {y: round(base * 0.8) + sum(f.model("depreciation", i) for i in range(2021, y + 1))
            for y in years}
    rows = []
    by_year = {y: split(f.model("ppe", y) + done[y], list(weights.values())) for y in years}
    for i, name in enumerate(weights):
        rows.append(Row(name, [Num(by_year[y][i], dollar=i == 0) for y in years], indent=1))
    gross = "us-gaap:PropertyPlantAndEquipmentGross"
    rows.append(Row("Total, at cost", [
        Num(sum(by_year[y]), concept=gross, year=y, instant=True) for y in years], "sum"))
    rows.append(Row("Less accumulated depreciation", [
        Num(-done[y], concept=spent, year=y, instant=True, flip=True) for y in years], indent=1))
    rows.append(f.row("ppe", years, "total", dollar=True))
    return "Property and Equipment", prose(
        f"""
{lives}

[[table]]

Depreciation expense was {f.money("depreciation")} in {f.fy(f.year)},
{f.money("depreciation", f.last)} in {f.fy(f.last)} and
{f.money("depreciation", f.year - 2)} in {f.fy(f.year - 2)}.
""",
        {"table": f.table(rows, years, instant=True)},
    )


def accrued_note(f: Filing, weights: dict[str, float]) -> Note:
    """What accrued liabilities consist of."""
    years = f.years[:2]
    table = f.split_rows(parts(f, "accrued", weights), "Total accrued liabilities", years, True)
    return "Accrued Liabilities", prose(
        "Accrued liabilities at the end of each fiscal year consisted of the following:\n\n[[t]]",
        {"t": table},
    )


def lease_note(f: Filing, what: str, rate: str, term: str) -> Note:
    """Lease cost and the maturities that lead to the lease liabilities."""
    cost = {y: round(1.14 * f.model("lease_current", y - 1)) for y in f.years}
    variable = {y: round(0.21 * cost[y]) for y in f.years}
    short = {y: max(1, round(0.04 * cost[y])) for y in f.years}
    costs = f.split_rows(
        [
            ("Operating lease cost", cost),
            ("Variable lease cost", variable),
            ("Short-term lease cost", short),
        ],
        "Total lease cost",
        f.years,
        concepts={
            "Operating lease cost": "us-gaap:OperatingLeaseCost",
            "Variable lease cost": "us-gaap:VariableLeaseCost",
            "Total lease cost": "us-gaap:LeaseCost",
        },
    )
    owed = f.model("lease_current", f.year) + f.model("lease_long", f.year)
    due = round(owed * 1.17)
    names = [f"Fiscal {f.year + i}" for i in range(1, 6)] + ["Thereafter"]
    rows = [
        Row(name, [Num(value, dollar=i == 0)], indent=1)
        for i, (name, value) in enumerate(
            zip(names, split(due, [19, 17.5, 15, 12, 9.5, 27]), strict=True)
        )
    ]
    rows += [
        Row("Total lease payments", [Num(due)], "sum"),
        Row("Less imputed interest", [Num(owed - due)], indent=1),
        Row("Present value of lease liabilities", [
            Num(owed, concept="us-gaap:OperatingLeaseLiability", year=f.year, instant=True,
                dollar=True)], "total"),
    ]
    ages = Table([[(f"At {f.end(f.year)}", 1)]], rows, 1)
    return "Leases", prose(
        f"""
{what} We settle at the start of an arrangement whether it holds a lease, and we do not separate
lease and non-lease components of real estate. The weighted-average remaining term of our operating
leases was {term} years and the weighted-average discount rate {rate} at {f.end(f.year)}.

[[costs]]

Lease payments due under operating leases are as follows:

[[ages]]
""",
        {"costs": costs, "ages": ages},
    )


def tax_note(f: Filing, current: dict[str, float], state: float, credits: float, text: str) -> Note:
    """The provision, and the way from the statutory rate to it."""
    m, years = f.model, f.years
    now = {y: split(m("tax", y) - m("cf_deferred_tax", y), list(current.values())) for y in years}
    lines = [(name, {y: now[y][i] for y in years}) for i, name in enumerate(current)]
    lines.append(("Deferred", {y: m("cf_deferred_tax", y) for y in years}))
    total = "Total provision for income taxes"
    names = {total: "us-gaap:IncomeTaxExpenseBenefit"}
    provision = f.split_rows(lines, total, years, concepts=names)
    base = {y: round(0.21 * m("pretax", y)) for y in years}
    local = {y: round(state * abs(m("pretax", y))) for y in years}
    relief = {y: -round(credits * m("opex", y)) for y in years}
    rest = {y: m("tax", y) - base[y] - local[y] - relief[y] for y in years}
    walk = f.split_rows(
        [
            ("Tax at the federal statutory rate of 21%", base),
            ("State and local taxes, net of federal effect", local),
            ("Tax credits", relief),
            (f.company.labels.get("tax_rest", "Non-deductible costs and other, net"), rest),
        ],
        "Provision as reported",
        years,
    )
    return "Income Taxes", prose(
        f"""
Income before income taxes multiplied by the statutory rate differs from our provision for the
reasons shown in the second table below. {text}

[[provision]]

[[walk]]

Tax years from {f.year - 4} onward remain open to examination by federal authorities. Unrecognised
tax benefits were not material at either year-end.
""",
        {"provision": provision, "walk": walk},
    )


def stock_note(
    f: Filing, plan: str, weights: dict[str, float], units: dict[int, tuple[int, int, int]],
    opening: int, prices: dict[int, tuple[float, float, float, float]], cost_left: str,
) -> Note:
    """Expense by function and the roll of restricted stock units."""
    total = "Total stock-based compensation"
    names = {total: "us-gaap:AllocatedShareBasedCompensationExpense"}
    table = f.split_rows(parts(f, "sbc", weights), total, f.years, concepts=names)
    start = opening + sum(g - v - x for y, (g, v, x) in units.items() if y < f.year)
    given, vested, lost = units[f.year]
    grant, vest, lapse, left = prices[f.year]
    before = prices[f.last][3]
    end = start + given - vested - lost
    rows = [
        Row(f"Unvested at {f.end(f.last)}", [f"{start:,}", f"${before:.2f}"]),
        Row("Granted", [f"{given:,}", f"${grant:.2f}"], indent=1),
        Row("Vested", [f"({vested:,})", f"${vest:.2f}"], indent=1),
        Row("Forfeited", [f"({lost:,})", f"${lapse:.2f}"], indent=1),
        Row(f"Unvested at {f.end(f.year)}", [f"{end:,}", f"${left:.2f}"], "total"),
    ]
    heads = [
        [("Restricted Stock Units", 2)],
        [("Units", 1), ("Weighted-average grant-date fair value", 1)],
    ]
    return "Stock-Based Compensation", prose(
        f"""
{plan}

[[expense]]

Restricted stock unit activity (units, not in {f.company.unit}) during {f.fy(f.year)} was:

[[units]]

Compensation cost not yet recognised for unvested units was {cost_left} at {f.end(f.year)}.
""",
        {"expense": table, "units": Table(heads, rows, 2)},
    )


def shares_note(f: Filing, left_out: str) -> Note:
    """Basic and diluted earnings per share."""
    m, years = f.model, f.years
    rows = [f.row("net", years, dollar=True)]
    for key in ("basic", "diluted"):
        rows.append(Row(f"Shares used, {key}", [Num(m.shares[key][y], "shares") for y in years]))
        rows.append(Row(f"{key.title()} per share amount",
                        [Num(m.per_share(key, y), "eps", dollar=True) for y in years]))
    return "Net Income Per Share", prose(
        f"""
Basic amounts divide net income by the weighted-average shares outstanding. Diluted amounts add the
shares that unvested awards would bring, by the treasury stock method. {left_out}

[[table]]
""",
        {"table": f.table(rows, years)},
    )
