"""Brightwater Grocers Corporation: the figures and words of a made-up grocery chain."""

from boilerplate import audit_report, market, repurchase_table
from filing import Company, Filing
from markup import Block, Num, Row, Table, prose
from model import Model, split
from notes import (
    accrued_note,
    lease_note,
    numbered,
    property_note,
    shares_note,
    stock_note,
    tax_note,
)
from statements import statements

REVENUE = ("grocery", "fresh", "pharmacy", "fuel")
EXTRA_WEEK = 96


def figures(_: int) -> Model:
    """The model, in millions; the same for both filings."""
    return Model(
        REVENUE,
        ("cost_sales",),
        ("sga", "depreciation", "impairment"),
        {
            "grocery": (2214, 2318, 2402, 2371),
            "fresh": (1706, 1842, 1968, 2014),
            "pharmacy": (402, 431, 467, 498),
            "fuel": (318, 402, 371, 352),
            "cost_sales": (3373, 3652, 3796, 3807),
            "sga": (1021, 1076, 1121, 1139),
            "depreciation": (112, 118, 126, 131),
            "impairment": (0, 6, 0, 9),
            "interest": (31, 33, 38, 41),
            "other_income": (1, 2, 5, 6),
            "tax": (25, 27, 32, 27),
            "capex": (121, 134, 152, 148),
            "sbc": (10, 11, 13, 14),
            "proceeds": (2, 2, 3, 3),
            "withholding": (3, 3, 4, 4),
            "repurchases": (30, 35, 44, 52),
            "repayments": (35, 35, 45, 40),
        },
        {
            "receivables": (74, 79, 83, 88, 91),
            "inventories": (398, 421, 448, 456, 449),
            "prepaid": (42, 45, 47, 51, 54),
            "rou": (812, 826, 851, 874, 862),
            "goodwill": (214, 214, 214, 214, 214),
            "other_assets": (31, 33, 36, 38, 41),
            "payables": (268, 281, 296, 301, 292),
            "accrued": (196, 204, 211, 219, 224),
            "deferred_revenue": (22, 24, 27, 30, 33),
            "lease_current": (71, 74, 78, 82, 85),
            "debt_current": (15, 15, 15, 20, 20),
            "debt_long": (640, 620, 600, 575, 560),
            "lease_long": (786, 795, 818, 838, 823),
            "deferred_tax": (96, 101, 104, 110, 108),
            "other_liabilities": (58, 57, 59, 61, 60),
            "par": (1, 1, 1, 1, 1),
            "aoci": (0, 0, 0, 0, 0),
        },
        {"cash": 118, "ppe": 1046, "intangibles": 38, "apic": 312, "treasury": -186},
        {"basic": (48.2, 47.6, 46.9, 46.1), "diluted": (48.7, 48.1, 47.4, 46.5)},
        (0.60, 0.66, 0.72, 0.80),
    )


COMPANY = Company(
    name="Brightwater Grocers Corporation",
    short="Brightwater",
    ticker="BRWG",
    prefix="brwg",
    cik="0009900202",
    file_number="001-99202",
    ein="99-0200202",
    state="Minnesota",
    street="220 Cannery Way",
    town="Duluth, Minnesota 55802",
    phone="(218) 555-0172",
    exchange="New York Stock Exchange",
    stock="Common Stock, $0.02 par value",
    unit="millions",
    scale=6,
    fiscal="fiscal ",
    periods={
        2019: ("2019-02-03", "2020-02-01"),
        2020: ("2020-02-02", "2021-01-30"),
        2021: ("2021-01-31", "2022-01-29"),
        2022: ("2022-01-30", "2023-01-28"),
        2023: ("2023-01-29", "2024-02-03"),
        2024: ("2024-02-04", "2025-02-01"),
    },
    auditor="Quillfeather Ames LLP",
    auditor_town="Minneapolis, Minnesota",
    auditor_since=2004,
    officers=(
        ("Leopold J. Vasquez-Aune", "Chief Executive Officer"),
        ("Harriet Bloomquist", "Executive Vice President and Chief Financial Officer"),
        ("Cornelius P. Tran", "Chair of the Board"),
        ("Imani Redfeather", "Chief Information Security Officer"),
    ),
    float_value={2023: "1,246", 2024: "1,318"},
    float_date={2023: "July 28, 2023", 2024: "August 2, 2024"},
    outstanding={2023: 46512730, 2024: 45688914},
    outstanding_date={2023: "March 22, 2024", 2024: "March 21, 2025"},
    filed={2023: "March 29, 2024", 2024: "March 28, 2025"},
    labels={
        "revenue_head": "Net sales:",
        "revenue": "Total net sales",
        "grocery": "Center-store grocery",
        "fresh": "Fresh and perishables",
        "pharmacy": "Pharmacy",
        "fuel": "Fuel and other",
        "cost_sales": "Cost of sales, including buying and occupancy",
        "cost": "Cost of sales",
        "sga": "Operating and administrative expenses",
        "depreciation": "Depreciation",
        "impairment": "Store impairment charges",
        "operating": "Operating income",
        "deferred_revenue": "Gift cards and loyalty points",
        "cf_deferred_revenue": "Change in gift cards and loyalty points",
        "operations": "CONSOLIDATED STATEMENTS OF EARNINGS",
        "net": "Net earnings",
        "per_share": "Earnings per share",
    },
    figures=figures,
)

# District: stores at the end of fiscal 2023, opened less closed in fiscal 2024,
# thousand square feet for each store, stores with a pharmacy, fuel centres.
DISTRICTS: dict[str, tuple[int, int, int, int, int]] = {
    "Duluth East": (7, 0, 46, 5, 3),
    "Duluth West": (6, 0, 44, 4, 2),
    "Superior": (4, 0, 43, 3, 2),
    "Iron Range North": (5, -1, 36, 3, 2),
    "Iron Range South": (4, 0, 37, 3, 1),
    "Brainerd Lakes": (4, 1, 48, 3, 2),
    "Bemidji": (3, 0, 41, 2, 1),
    "Grand Rapids, Minnesota": (2, 0, 40, 2, 1),
    "St. Cloud": (6, 1, 52, 5, 3),
    "Twin Cities North": (7, 1, 54, 6, 2),
    "Twin Cities West": (5, 1, 55, 5, 1),
    "Rochester": (4, 0, 50, 4, 2),
    "Mankato": (3, 0, 47, 2, 1),
    "Fargo": (5, 0, 51, 4, 3),
    "Grand Forks": (3, 0, 45, 2, 2),
    "Bismarck": (4, 0, 47, 3, 2),
    "Minot": (2, -1, 42, 1, 1),
    "Sioux Falls": (4, 1, 53, 4, 2),
    "Aberdeen": (2, 0, 39, 1, 1),
    "Eau Claire": (5, 0, 49, 4, 2),
    "La Crosse": (4, 0, 46, 3, 2),
    "Wausau": (4, 0, 45, 3, 2),
    "Green Bay": (6, 0, 51, 5, 3),
    "Appleton": (5, 0, 50, 4, 2),
    "Oshkosh": (3, 0, 47, 2, 1),
    "Madison North": (5, 1, 53, 4, 1),
    "Madison South": (4, 0, 54, 4, 1),
    "Rhinelander": (2, 0, 38, 1, 1),
    "Ashland": (2, -1, 35, 1, 0),
    "Marquette": (3, 0, 42, 2, 1),
    "Houghton": (2, 0, 38, 1, 1),
    "Escanaba": (2, 0, 39, 1, 1),
    "Iron Mountain": (3, 0, 40, 2, 1),
    "Sault Ste. Marie": (2, 0, 41, 1, 1),
    "Dubuque": (4, 0, 48, 3, 1),
    "Cedar Valley": (6, 0, 49, 4, 2),
}
COMPARABLE = {2021: (1.2, -2.1, 3.4), 2022: (3.8, -1.4, 5.3), 2023: (3.1, 0.4, 2.7),
              2024: (1.6, 0.7, 0.9)}


def stores(f: Filing, district: str, year: int | None = None) -> int:
    """Stores of a district at the end of a fiscal year."""
    first, moved, *_ = DISTRICTS[district]
    return first + (moved if (year or f.year) == 2024 else 0)


def store_count(f: Filing) -> int:
    """All stores at year-end."""
    return sum(stores(f, name) for name in DISTRICTS)


def store_area(f: Filing) -> int:
    """Thousand square feet of all stores at year-end."""
    return sum(stores(f, name) * size for name, (_, _, size, _, _) in DISTRICTS.items())


def district_table(f: Filing) -> Table:
    """The long table of Item 2: every district."""
    lines = {}
    for name, (_, _, size, drugs, fuel) in DISTRICTS.items():
        count = stores(f, name)
        lines[name] = (count, count * size, min(drugs, count), min(fuel, count))
    rows = [Row(name, [Num(v, "count") for v in line]) for name, line in lines.items()]
    sums = [sum(column) for column in zip(*lines.values(), strict=True)]
    rows.append(Row("All districts", [Num(value, "count") for value in sums], "total"))
    heads = [[("Stores", 2), ("Of Which With", 2)],
             [("Number", 1), ("Thousand square feet", 1), ("Pharmacy", 1), ("Fuel center", 1)]]
    return Table(heads, rows, 4)


def business(f: Filing) -> list[Block]:
    """Item 1."""
    m, y = f.model, f.year
    return prose(f"""
## Overview

Brightwater runs {store_count(f)} supermarkets in Minnesota, Wisconsin, the Dakotas, Iowa and the
Upper Peninsula of Michigan. The first shop opened beside a Duluth cannery in 1923. Our stores trade
as Brightwater Market; {f.pick("twelve", "fifteen")} smaller ones trade as Corner Pantry. We
employed about {f.pick("21,900", "22,300")} people at the end of {f.fy(y)}, of whom
{f.pick("8,700", "8,950")} worked full time.

Our fiscal year ends on the Saturday closest to the end of January. Fiscal 2023 ended on
February 3, 2024, and had 53 weeks; fiscal 2022 and fiscal 2024 had 52.

## Stores and formats

A Brightwater Market measures about 48,000 square feet and stocks some 36,000 items. A Corner Pantry
measures 12,000 to 16,000 square feet and leaves out the service counters. During {f.fy(y)} we
{f.pick('''opened four stores, closed one and remodeled seventeen''',
'''opened six stores, closed three and remodeled nineteen''')}. We plan
{f.pick("five to six openings in fiscal 2024", "four openings and twenty-two remodels in fiscal "
"2025")}.

## Merchandise

We report one segment. Net sales by department were:

[[departments]]

**Own brands.** Products under our Larder &amp; Lake, Nordshore and Simple Shelf brands made up
{f.pick("23.4%", "24.9%")} of center-store sales, against {f.pick("22.1%", "23.4%")} the year
before. They cost shoppers some fifteen to twenty per cent less than national brands and earn us a
higher margin.

**Fresh.** Fresh and perishables include produce, meat, seafood, bakery, deli and prepared meals. We
buy produce from {f.pick("310", "325")} growers within 200 miles of our warehouses in season.

**Pharmacy.** We filled {f.pick("6.2 million", "6.6 million")} prescriptions.
{f.pick('''Vaccinations fell as fewer shoppers sought boosters.''', '''Costly weight-loss and
diabetes drugs raised sales but earn almost nothing, because insurers repay them near our cost.''')}

## Online ordering and loyalty

Shoppers can order for collection at {f.pick("118", "131")} stores and for delivery from
{f.pick("64", "79")}. Orders placed online were {f.pick("7.8%", "9.1%")} of net sales without fuel.
Our Bright Rewards programme had {f.pick("1.9 million", "2.1 million")} active households, who
accounted for {f.pick("71%", "74%")} of sales.

## Supply and distribution

Two warehouses, in Superior and in St. Cloud, deliver {f.pick("68%", "72%")} of what we sell. Our
largest supplier, a cooperative wholesaler, provided {f.pick("17%", "15%")} of purchases under a
contract that runs to {f.pick("July 2025", "July 2028")}. We own
{f.pick("142", "147")} tractors and {f.pick("388", "401")} trailers.

## Competition

We compete with national supermarket groups, supercenters, warehouse clubs, discount grocers, dollar
stores and online sellers. {f.pick('''A hard discounter opened nine stores in our area during fiscal
2023.''', '''A hard discounter opened fourteen stores in our area during fiscal 2024, seven of them
within three miles of a store of ours.''')}

## Employees and unions

{f.pick("46%", "45%")} of our associates belong to unions under nineteen
agreements. {f.pick('''Agreements covering 3,100 associates in the Duluth area expire in August
2024.''', '''Associates in the Duluth area accepted a four-year agreement in September 2024 after a
strike of six days; it raises wages by 14.5% in all.''')}

## Regulation

Food safety, pharmacy, alcohol, tobacco and fuel sales require licences from many authorities. We
accept federal nutrition benefits, which paid for {f.pick("8.6%", "8.1%")} of net sales without fuel
in {f.fy(y)}.
""", {"departments": f.table([*[f.row(k, f.years) for k in m.revenue],
                              f.row("revenue", f.years, "total", dollar=True)], f.years)})


def risks(f: Filing) -> list[Block]:
    """Item 1A."""
    m, y = f.model, f.year
    return prose(f"""
The following risks could hurt our sales, earnings or stock price.

## Competition and shoppers

**Grocery margins are thin.** Net earnings were {f.ratio("net")} of net sales in {f.fy(y)}. A rival
who cuts prices in a few of our towns can force us to follow and wipe out much of that margin.
{f.pick('''Discounters and clubs have gained share in each of the last five years.''', '''In fiscal
2024 we lowered prices on about 1,800 everyday items in response to discounters, which cost some
$13 million of gross profit.''')}

**Falling or rising food prices may hurt.** When prices rise fast we may be unable to pass on the
whole increase; when they fall our costs do not fall with them. Food inflation in our stores was
{f.pick("4.3%", "1.4%")} in {f.fy(y)}, compared with {f.pick("9.8%", "4.3%")} a year earlier.

**Cuts to nutrition benefits reduce sales.** Federal nutrition benefits pay for part of our sales.
{f.pick('''The emergency allotments that ended in March 2023 took about $41 million out of our sales
in fiscal 2023.''', '''Proposals in Congress would tighten work requirements; we estimate that they
could lower our sales by $20 million to $30 million a year.''')}

**Small towns may lose people.** Thirty-eight of our stores stand in counties whose population
declined over the last ten years. We closed {f.pick("one of these", "three of these")} in {f.fy(y)}.

## Operations

**Two warehouses supply most stores.** A fire, flood or long strike at Superior or St. Cloud would
leave many stores short of goods within {f.pick("four", "three")} days. Winter storms close roads in
our region {f.pick("each year", "each year and cut sales by about $5 million in January 2025")}.

**Labor may cost more or stop work.** {f.pick('''If the talks in Duluth fail, a strike could affect
thirteen stores and the Superior warehouse.''', '''The six-day strike at Duluth stores in August
2024 lowered sales by an estimated $7 million and operating income by $3 million. Other locals may
ask for similar raises when their agreements end.''')} We contribute to four multi-employer pension
plans, one of which is in critical status. If we withdrew from it we estimate that we would owe
{f.pick("$57 million", "$52 million")}, before tax.

**Food could make people ill.** Prepared meals and deli goods pass through our own kitchens.
{f.pick('''In May 2023 we recalled bagged salads because of listeria found at a grower; no illness
was traced to our stores.''', '''In November 2024 a kitchen in St. Cloud stopped for nine days after
tests found salmonella on a slicer; no illness was traced to our stores.''')}

**Pharmacy payments are set by others.** Three pharmacy benefit managers pay for
{f.pick("77%", "79%")} of our prescriptions. They change rates without our agreement and may drop us
from their networks.

**Our tills and shopper data are targets.** An attack that stops our payment systems closes our
stores. {f.pick('''In October 2023 a supplier of our scheduling software was breached and the names
of 5,400 associates were exposed.''', '''We began to replace our point-of-sale system in fiscal
2024; an error in the change-over could stop sales in many stores at once.''')}

## Finance and property

**We owe much and rent much.** At year-end we had {f.amount(m("debt_current", y)
+ m("debt_long", y))} of debt and {f.amount(m("lease_current", y) + m("lease_long", y))} of lease
liabilities. We must pay rent even for stores we close; {f.pick("eleven", "twelve")} closed stores
are still under lease, of which {f.pick("seven", "six")} are sublet.

**Stores may lose their value.** We review each store for impairment when its cash flow falls.
{f.pick('''We recorded no charge in fiscal 2023 and $6 million in fiscal 2022.''', '''We recorded
charges of $9 million in fiscal 2024, for five stores of which three have closed.''')} More
discounters near our stores would make further charges likely.

**A week more or less changes comparisons.** Every five or six years our fiscal year has a 53rd
week. The extra week of fiscal 2023 added about ${EXTRA_WEEK} million to net sales and about $0.09
to diluted earnings per share. {f.pick('''Fiscal 2024 will not have that week.''', '''Comparisons of
fiscal 2024 with fiscal 2023 should allow for it.''')}
""")


def results_table(f: Filing) -> Table:
    """Results with shares of net sales under stacked heads."""
    m, (y, z, _) = f.model, f.years
    keys = ("revenue", "cost_sales", "gross", "sga", "depreciation", "impairment", "operating",
            "interest", "other_income", "pretax", "tax", "net")
    rows = []
    for key in keys:
        rate = Num(m.growth(key, y), "percent") if m(key, z) else "n/m"
        rows.append(Row(f.label(key), [
            Num(m(key, y), dollar=key == "revenue"), Num(m.share_of(key, "revenue", y), "percent"),
            Num(m(key, z), dollar=key == "revenue"), Num(m.share_of(key, "revenue", z), "percent"),
            rate], "sum" if key in ("gross", "operating", "net") else "plain"))
    heads = [[(f"Fiscal {y} ({f.weeks(y)} weeks)", 2), (f"Fiscal {z} ({f.weeks(z)} weeks)", 2),
              ("", 1)],
             [("Amount", 1), ("% of sales", 1), ("Amount", 1), ("% of sales", 1), ("Change", 1)]]
    return Table(heads, rows, 5)


def comparable_table(f: Filing) -> Table:
    """Comparable sales, which leave out fuel and the extra week."""
    names = ("Comparable sales growth, without fuel (1)", "Change in transactions",
             "Change in average basket")
    rows = [Row(n, [Num(COMPARABLE[y][i], "percent") for y in f.years])
            for i, n in enumerate(names)]
    return f.table(rows, f.years)


def adjusted_table(f: Filing) -> Table:
    """Adjusted net earnings: without impairment and its tax effect."""
    m = f.model
    relief = {y: -round(0.25 * m("impairment", y)) for y in f.years}
    rows = [
        f.row("net", f.years, dollar=True),
        f.row("impairment", f.years),
        Row("Tax effect of the charges", [Num(relief[y]) for y in f.years], indent=1),
        Row("Adjusted net earnings", [
            Num(m("net", y) + m("impairment", y) + relief[y], dollar=True) for y in f.years],
            "total"),
    ]
    return f.table(rows, f.years)


def discussion(f: Filing) -> list[Block]:
    """Item 7."""
    m, y = f.model, f.year
    z = y - 1
    flows = ("cf_operating", "cf_investing", "cf_financing", "cf_net")
    cash = f.table([f.row(k, f.years, "total" if k == "cf_net" else "plain") for k in flows],
                   f.years)
    like = m("revenue", 2023) - EXTRA_WEEK
    base = m("revenue", y) if y == 2024 else like
    before = like if y == 2024 else m("revenue", 2022)
    adjusted_growth = round(100 * (base / before - 1), 1)
    tax, tax_before = m.share_of("tax", "pretax", y), m.share_of("tax", "pretax", z)
    return prose(f"""
This discussion should be read with the statements and notes in Item 8. Tables are in millions
except for percentages and amounts per share.

## Highlights

Net sales were {f.money("revenue")} in {f.fy(y)}, a year of {f.weeks(y)} weeks, compared with
{f.money("revenue", z)} in {f.fy(z)}, a year of {f.weeks(z)} weeks. Leaving out the 53rd week of
fiscal 2023, net sales grew {adjusted_growth}%. Net earnings were {f.money("net")}, or
${m.per_share("diluted", y):.2f} per diluted share, against {f.money("net", z)}, or
${m.per_share("diluted", z):.2f}, in {f.fy(z)}.

{f.pick('''Shoppers traded down to our own brands while food inflation eased through the year. We
opened a kitchen in St. Cloud that supplies prepared meals to all Minnesota stores, and we finished
moving Wisconsin pharmacies to a new dispensing system.''', '''Discounters opened near our stores,
and we answered with lower everyday prices and more own-brand goods. Associates in Duluth went on
strike for six days. We opened six stores, the most in any year since 2007, and closed three that
lost money.''')}

## Results of operations

[[results]]

n/m: not meaningful.

### Comparable sales

[[comparable]]

~ (1) Stores open at least fourteen full months. The 53rd week of fiscal 2023 is left out, and
fiscal 2024 is compared with the matching calendar weeks.

Comparable sales without fuel rose {COMPARABLE[y][0]}% in {f.fy(y)}. {f.pick('''The average basket
was larger because of inflation, while the number of transactions returned to slight growth.''',
'''Transactions grew for the second year, helped by online orders, but own brands and lower prices
held back the value of the average basket.''')}

### Sales by department

Center-store grocery {f.moved("grocery")}, fresh and perishables {f.moved("fresh")}, pharmacy
{f.moved("pharmacy")} and fuel and other {f.moved("fuel")}. {f.pick('''The average retail price of
gasoline was $3.41 a gallon, against $3.88 in fiscal 2022.''', '''The average retail price of
gasoline was $3.18 a gallon, against $3.41 in fiscal 2023, and gallons sold fell 0.8%.''')}

### Gross profit

Gross profit was {f.ratio("gross")} of net sales, compared with {f.ratio("gross", year=z)} in
{f.fy(z)}. {f.pick('''Less fuel in the mix, fewer losses from theft and better buying of produce
accounted for the increase.''', '''Own brands and lower freight costs more than paid for the price
reductions; shrink was unchanged at 2.3% of sales.''')}

### Operating and administrative expenses

These expenses were {f.ratio("sga")} of net sales against {f.ratio("sga", year=z)} in {f.fy(z)}.
{f.pick('''Wages rose 4.6% an hour on average. The extra week helped to spread fixed costs.''',
'''Wages rose 3.9% an hour on average, and the strike added $2 million for security and temporary
staff. Without the extra week of the year before, fixed costs weighed more.''')}

### Impairment, interest and taxes

{f.pick('''There were no store impairment charges in fiscal 2023.''', '''Store impairment charges of
$9 million concerned five stores in the Iron Range, Minot and Ashland areas.''')} Interest expense
was {f.money("interest")}, compared with {f.money("interest", z)}, because the average rate on
floating-rate loans was higher. The effective tax rate was {tax}% in {f.fy(y)} and {tax_before}% in
{f.fy(z)}.

## Non-GAAP measure

Adjusted net earnings leave out impairment charges and their tax effect. Other companies may work
out such measures differently.

[[adjusted]]

## Liquidity and capital resources

[[cash]]

Operations provided {f.money("cf_operating")} of cash, against {f.money("cf_operating", z)} in
{f.fy(z)}. Capital expenditures were {f.money("capex")}:
{f.pick('''$58 million for new stores and the kitchen, $55 million for remodels and $39 million for
systems and warehouses''', '''$56 million for new stores, $51 million for remodels and $41 million
for systems and warehouses''')}. We expect to spend {f.pick("$145 million to $155 million in "
"fiscal 2024", "$160 million to $175 million in fiscal 2025, of which about $40 million is for "
"the new point-of-sale system")}.

We paid dividends of {f.money("dividends")} and repurchased common stock for
{f.money("repurchases")}. Cash at year-end was {f.money("cash")}. We had nothing drawn under our
$350 million revolving facility and {f.pick("$28 million", "$31 million")} of letters of credit
outstanding under it.

## Critical accounting estimates

**Inventories.** {f.pick("88%", "89%")} of inventories are valued by the last-in, first-out retail
method. Were all inventories valued first-in, first-out, they would have been higher by
{f.pick("$74 million", "$79 million")}.

**Impairment of stores.** We compare the expected cash flows of a store with the carrying amount of
its assets, rent included. {f.pick("Four", "Six")} stores with assets of
{f.pick("$18 million", "$25 million")} had cash flows less than ten per cent above that amount at
year-end.

**Self-insurance.** We bear most of the cost of workers&#8217; injuries and general liability up to
$1 million a case. The liability was {f.pick("$63 million", "$66 million")}; a change of ten per
cent in expected claims would change it by about {f.pick("$6 million", "$7 million")}.
""", {"results": results_table(f), "comparable": comparable_table(f),
      "adjusted": adjusted_table(f), "cash": cash})


def debt_note(f: Filing) -> list[Block]:
    """Senior notes and the term loan, and when they fall due."""
    m, y = f.model, f.year
    years = (y, y - 1)
    notes = dict.fromkeys((2022, 2023, 2024), 350)
    loan = {i: m("debt_current", i) + m("debt_long", i) - notes[i] for i in years}
    rows = [
        Row("4.75% senior notes due November 2031", [Num(notes[i], dollar=True) for i in years]),
        Row("Term loan due April 2029", [Num(loan[i]) for i in years]),
        Row("Revolving facility due April 2029", [Num(0) for _ in years]),
        Row("Total debt", [Num(loan[i] + notes[i], concept="us-gaap:LongTermDebt", year=i,
                               instant=True) for i in years], "sum"),
        Row("Less current portion", [f.num("debt_current", i, -1) for i in years]),
        f.row("debt_long", years, "total", dollar=True),
    ]
    due = {f"Fiscal {i}": 20 for i in range(y + 1, 2029)}
    due["Fiscal 2029"] = loan[y] - sum(due.values())
    due["Fiscal 2031"] = 350
    ages = [Row(k, [Num(v, dollar=i == 0)]) for i, (k, v) in enumerate(due.items())]
    ages.append(Row("Total principal due", [Num(sum(due.values()), dollar=True)], "total"))
    return prose(f"""
The term loan bears interest at the secured overnight rate plus 1.50%,
{f.pick("6.83%", "5.84%")} at year-end. The revolving facility allows borrowings of up to $350
million against eligible inventories and pharmacy receivables. It contains one financial covenant, a
fixed charge ratio of 1.0 to 1.0, which applies only if less than $35 million can be drawn.

[[debt]]

Principal due by fiscal year:

[[ages]]

The fair value of the senior notes, taken from quoted prices, was
{f.pick("$318 million", "$326 million")} at {f.end(y)}.
""", {"debt": f.table(rows, years, instant=True), "ages": Table([[("Principal", 1)]], ages, 1)})


def quarter_table(f: Filing) -> Table:
    """Net sales and net earnings by quarter; the first quarter has sixteen weeks."""
    m, y = f.model, f.year
    last = 13 if f.weeks(y) == 53 else 12
    weights = [16, 12, 12, last]
    sales = split(m("revenue", y), weights)
    gross = split(m("gross", y), weights)
    net = split(m("net", y), [27, 24, 21, 28])
    rows = [
        Row(f"{name} quarter ({n} weeks)", [Num(a, dollar=i == 0), Num(b, dollar=i == 0),
                                            Num(c, dollar=i == 0)])
        for i, (name, n, a, b, c) in enumerate(
            zip(("First", "Second", "Third", "Fourth"), weights, sales, gross, net, strict=True))
    ]
    rows.append(Row(f"Fiscal {y}", [Num(m(k, y), dollar=True) for k in ("revenue", "gross", "net")],
                    "total"))
    return Table([[("Net sales", 1), ("Gross profit", 1), ("Net earnings", 1)]], rows, 3)


def notes(f: Filing) -> list[Block]:
    """The notes to the statements."""
    m, y = f.model, f.year
    reserve = f.pick("$74 million", "$79 million")
    lifo = {2023: 74, 2024: 79, 2022: 68}
    years = f.years[:2]
    inventories = f.table([
        Row("Inventories at first-in, first-out cost",
            [Num(m("inventories", i) + lifo[i], dollar=True) for i in years]),
        Row("Less last-in, first-out reserve", [
            Num(-lifo[i], concept="us-gaap:InventoryLIFOReserve", year=i, instant=True, flip=True)
            for i in years]),
        f.row("inventories", years, "total", dollar=True)], years, True)
    sales = f.split_rows(
        [("In stores", {i: m("revenue", i) - m("fuel", i) - online(f, i) for i in f.years}),
         ("Online, collected or delivered", {i: online(f, i) for i in f.years}),
         ("Fuel and other", {i: m("fuel", i) for i in f.years})],
        "Total net sales by channel", f.years)
    return numbered([
        ("Business and Accounting Policies", prose(f"""
Brightwater Grocers Corporation operates supermarkets in six states. The statements include its
wholly owned subsidiaries.

**Fiscal year.** Our year ends on the Saturday closest to the end of January. The year ended
February 3, 2024 (fiscal 2023) comprised 53 weeks. The years ended February 1, 2025 (fiscal 2024)
and January 28, 2023 (fiscal 2022) each comprised 52 weeks.

**Revenue.** Sales are recognised at the till or, for online orders, when the shopper takes the
goods. Sales tax is left out. Points earned under Bright Rewards are a separate promise to the
shopper: we defer part of the price until they are used or lapse. Sales of gift cards are deferred
until use; expected breakage was $2 million in {f.fy(y)}.

**Vendor allowances.** Money from suppliers for promotion and placement lowers cost of sales when
the goods are sold. It came to {f.pick("$161 million", "$168 million")} in {f.fy(y)}.

**Pre-opening costs** are expensed as incurred.

**New standards.** {f.pick('''We will adopt the standard on segment expenses in fiscal 2024.''',
'''We adopted the standard on segment expenses; our single segment is described below.''')}
""")),
        ("Revenue by Channel", prose(f"""
The table divides net sales by how the shopper bought. Departments are shown in the statement of
earnings.

[[sales]]

The balance of gift cards and loyalty points was {f.money("deferred_revenue")} at {f.end(y)} and
{f.money("deferred_revenue", y - 1)} at {f.end(y - 1)}; nearly all of it is used within a year.
""", {"sales": sales})),
        ("Segment Information", prose(f"""
All stores sell similar goods to similar shoppers, are supplied from the same warehouses and are
managed as one. The chief executive officer, who decides on resources, looks at consolidated net
earnings and at total assets of {f.money("assets")}. All sales and assets are in the United States.
""")),
        ("Inventories", prose(f"""
Grocery inventories are valued by the last-in, first-out method, pharmacy and perishable goods at
first-in, first-out cost. The reserve of {reserve} grew by
{f.pick("$6 million", "$5 million")} in {f.fy(y)}, which was charged to cost of sales.

[[t]]
""", {"t": inventories})),
        property_note(f, {"Land": 9, "Buildings and improvements": 43, "Fixtures and equipment": 39,
                          "Vehicles": 5, "Construction in progress": 4},
                      "Buildings are depreciated over 40 years, improvements over the shorter of "
                      "the lease and 15 years, and fixtures and equipment over 3 to 12 years."),
        accrued_note(f, {"Wages, vacation and bonuses": 38, "Self-insurance, current": 15,
                         "Sales, property and other taxes": 19, "Utilities and rent": 11,
                         "Other": 17}),
        ("Debt", debt_note(f)),
        lease_note(f, f"We lease {f.pick('109', '111')} of our stores and one warehouse.",
                   f.pick("5.1%", "5.3%"), f.pick("10.4", "10.1")),
        tax_note(f, {"Federal, current": 74, "State, current": 26}, 0.04, 0.001,
                 "Deferred taxes arise chiefly from property and from inventories."),
        stock_note(
            f,
            "The 2021 Stock Incentive Plan sets aside 3,000,000 shares, of which "
            + f.pick("1,740,000", "1,405,000") + " were left at year-end. Units vest over three "
            "or four years.",
            {"Cost of sales": 21, "Operating and administrative expenses": 79},
            {2023: (512000, 388000, 41000), 2024: (498000, 402000, 57000)}, 1022000,
            {2022: (0, 0, 0, 24.88), 2023: (27.92, 24.10, 25.33, 26.64),
             2024: (29.05, 26.02, 27.11, 27.92)},
            f.pick("$17 million, over 2.1 years", "$18 million, over 2.0 years")),
        shares_note(f, "Awards left out because they would have raised the figure were not "
                       "material."),
        ("Retirement Plans", prose(f"""
We match associates&#8217; savings up to four per cent of pay, at a cost of
{f.pick("$16 million", "$17 million")} in {f.fy(y)}. We also paid
{f.pick("$22 million", "$23 million")} into four multi-employer pension plans. One of them, the
Upper Lakes Food Workers Plan, has been in critical status since 2019 and was
{f.pick("61%", "64%")} funded at its last valuation.
""")),
        ("Commitments and Contingencies", prose(f"""
We have promised to buy {f.pick("$84 million", "$71 million")} of electricity, milk and packaging
through fiscal {f.pick("2027", "2028")}. As landlord to subtenants we remain liable for rent of
{f.pick("$12 million", "$10 million")} should they not pay.

{f.pick('''Former department managers sued in Wisconsin in June 2023, claiming unpaid overtime on
behalf of about 640 people. We have accrued nothing, since a loss cannot yet be estimated.''',
'''The overtime suit that former department managers brought in Wisconsin in 2023 was settled in
December 2024 for $4 million, which we accrued in the third quarter and paid in January 2025.''')}
""")),
        ("Quarterly Results (Unaudited)", prose("""
The first quarter has sixteen weeks and the others twelve; the fourth quarter of fiscal 2023 had
thirteen.

[[t]]
""", {"t": quarter_table(f)})),
        ("Subsequent Events", prose(f"""
{f.pick('''On March 14, 2024, we agreed to buy four stores in Sioux Falls and the Twin Cities from
a retailer leaving the area for $19 million. On March 20, 2024, the board raised the quarterly
dividend to $0.20 a share.''', '''On March 11, 2025, we agreed to sell the dispensing records of
six rural pharmacies for $8 million and to close them. On March 19, 2025, the board raised the
quarterly dividend to $0.22 a share.''')}
""")),
    ])


def online(f: Filing, year: int) -> int:
    """Net sales ordered online."""
    part = {2021: 0.062, 2022: 0.069, 2023: 0.078, 2024: 0.091}[year]
    return round(part * (f.model("revenue", year) - f.model("fuel", year)))


def text(f: Filing) -> dict[str, list[Block]]:
    """The items whose words are the company's own."""
    m, y = f.model, f.year
    loan = m("debt_current", y) + m("debt_long", y) - 350
    bought = f.pick(
        [("Four weeks to December 2, 2023", 128400, 28.10),
         ("Five weeks to January 6, 2024", 171900, 29.04),
         ("Four weeks to February 3, 2024", 96300, 28.77)],
        [("Three weeks to November 30, 2024", 142700, 29.92),
         ("Five weeks to January 4, 2025", 188200, 30.41),
         ("Four weeks to February 1, 2025", 81500, 29.66)],
    )
    matter = (
        f"**Impairment of stores.** Property and right-of-use assets of stores were tested where "
        f"cash flow had weakened. {f.pick('Four', 'Six')} stores had little headroom. Expected "
        "sales growth and sublease rent are hard to audit. We compared forecasts with past results "
        "and had our specialists examine the rents."
    )
    return {
        "1": business(f),
        "1A": risks(f),
        "2": prose(f"""
At {f.end(y)} we operated {store_count(f)} stores with {store_area(f) / 1000:.1f} million square
feet. We own {f.pick("33", "34")} of them and lease the others. The table lists stores by district.

[[districts]]

We own the warehouse in Superior (512,000 square feet) and lease the one in St. Cloud (438,000
square feet) until 2036. Our head office of 86,000 square feet in Duluth is owned.
""", {"districts": district_table(f)}),
        "3": prose("""
The information on legal proceedings in the note on commitments and contingencies is incorporated
here by reference.
"""),
        "5": market(f, f.pick("3,870", "3,744"), f"""
Dividends of ${m.dividend[y]:.2f} a share were declared in {f.fy(y)}, compared with
${m.dividend[y - 1]:.2f} in {f.fy(y - 1)}. {f.pick("$61 million", "$109 million")} remained
available at year-end under {f.pick("the programme of May 2022", "the programme of June 2024, "
"which added $100 million")}.
""", repurchase_table(f, bought)),
        "7": discussion(f),
        "7A": prose(f"""
**Interest rates.** The term loan of {f.amount(loan)} bears a floating rate. A change of one
percentage point would change yearly interest by about ${loan / 100:.1f} million.

**Fuel and power.** Our trucks used {f.pick("5.1 million", "5.2 million")} gallons of diesel and our
stores {f.pick("412", "418")} gigawatt-hours of electricity. A rise of ten per cent in both prices
would cost about {f.pick("$6.0 million", "$6.3 million")} a year. We buy
{f.pick("55%", "60%")} of our power at fixed prices.

We hold no derivatives for trading.
"""),
        "8": [*audit_report(f, matter), *statements(f), *notes(f)],
    }
