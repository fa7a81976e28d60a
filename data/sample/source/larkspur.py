"""Larkspur Instruments, Inc.: the figures and words of a made-up maker of industrial sensors."""

from boilerplate import audit_report, market, repurchase_table
from filing import Company, Filing
from markup import Block, Num, Row, Table, prose
from model import Model, split
from notes import (
    accrued_note,
    lease_note,
    numbered,
    parts,
    property_note,
    shares_note,
    stock_note,
    tax_note,
)
from statements import statements

REVENUE = ("process", "condition", "services")


def figures(_: int) -> Model:
    """The model, in thousands; the same for both filings."""
    return Model(
        REVENUE,
        ("cost_products", "cost_services"),
        ("rd", "sga", "amortization", "restructuring"),
        {
            "process": (212640, 231874, 236405, 229163),
            "condition": (98315, 104902, 112688, 121540),
            "services": (41206, 46118, 51937, 61609),
            "cost_products": (176402, 192330, 196871, 193950),
            "cost_services": (20117, 22402, 24655, 28410),
            "rd": (36812, 40205, 43377, 46920),
            "sga": (71940, 76318, 80260, 83514),
            "amortization": (8140, 8140, 9362, 9870),
            "restructuring": (0, 0, 0, 5246),
            "interest": (6212, 7045, 9438, 8102),
            "other_income": (412, 655, 1208, 1946),
            "tax": (6920, 7979, 7846, 8031),
            "capex": (13402, 17655, 21308, 16114),
            "depreciation": (12880, 13415, 14206, 15082),
            "acquired_intangibles": (0, 0, 18330, 0),
            "sbc": (6812, 7540, 8266, 9104),
            "proceeds": (2110, 2245, 2418, 2530),
            "withholding": (1204, 1318, 1502, 1688),
            "repurchases": (8000, 10215, 14880, 18406),
            "repayments": (15000, 12000, 25000, 27500),
        },
        {
            "receivables": (58204, 63118, 68940, 71266, 69815),
            "inventories": (61380, 67942, 82415, 86027, 78354),
            "prepaid": (8112, 9004, 9861, 10240, 10933),
            "rou": (21440, 20318, 22907, 21664, 20125),
            "goodwill": (118442, 118442, 118442, 133908, 133908),
            "other_assets": (5806, 6120, 6544, 7018, 7390),
            "payables": (27318, 30245, 33902, 32174, 30776),
            "accrued": (31204, 33660, 35178, 37402, 40115),
            "deferred_revenue": (9880, 11216, 12904, 15337, 19462),
            "lease_current": (4310, 4402, 4715, 4820, 4766),
            "debt_current": (5000, 5000, 5000, 7500, 7500),
            "debt_long": (140000, 130000, 128000, 147500, 120000),
            "lease_long": (18006, 16890, 19114, 17802, 16307),
            "deferred_tax": (14220, 13105, 12390, 13844, 12617),
            "other_liabilities": (6404, 6710, 6955, 7120, 7344),
            "par": (245, 245, 245, 245, 245),
            "aoci": (-6118, -6940, -9255, -8012, -8866),
        },
        {"cash": 52118, "ppe": 84260, "intangibles": 66310, "apic": 142806, "treasury": -38112},
        {"basic": (24310, 24288, 24102, 23867), "diluted": (24655, 24612, 24430, 24201)},
        (0.40, 0.44, 0.48, 0.52),
    )


COMPANY = Company(
    name="Larkspur Instruments, Inc.",
    short="Larkspur",
    ticker="LKSP",
    prefix="lksp",
    cik="0009900101",
    file_number="001-99101",
    ein="99-0100101",
    state="Delaware",
    street="4100 Millrace Road",
    town="Rockford, Illinois 61109",
    phone="(815) 555-0141",
    exchange="The Nasdaq Stock Market LLC",
    stock="Common Stock, $0.01 par value",
    unit="thousands",
    scale=3,
    fiscal="fiscal ",
    periods={y: (f"{y}-01-01", f"{y}-12-31") for y in range(2019, 2025)},
    auditor="Pellworth &amp; Strand LLP",
    auditor_town="Chicago, Illinois",
    auditor_since=2011,
    officers=(
        ("Margit A. Oyelaran", "President and Chief Executive Officer"),
        ("Desmond T. Farrow", "Chief Financial Officer"),
        ("Priscilla Navarrete-Holm", "Chair of the Board"),
        ("Tobias Wenzel", "Chief Information Officer"),
    ),
    float_value={2023: "618,240", 2024: "655,904"},
    float_date={2023: "June 30, 2023", 2024: "June 28, 2024"},
    outstanding={2023: 23981402, 2024: 23702118},
    outstanding_date={2023: "February 16, 2024", 2024: "February 14, 2025"},
    filed={2023: "February 22, 2024", 2024: "February 20, 2025"},
    labels={
        "revenue_head": "Net sales:",
        "revenue": "Total net sales",
        "process": "Process sensors",
        "condition": "Machine-condition sensors",
        "services": "Calibration and software services",
        "cost_products": "Cost of products sold",
        "cost_services": "Cost of services",
        "cost": "Total cost of sales",
    },
    figures=figures,
)

FAMILIES = {
    "process": {"Pressure transmitters": 34, "Temperature probes": 24, "Flow meters": 27,
                "Level switches": 15},
    "condition": {"Vibration monitors": 46, "Proximity probes": 33, "Torque transducers": 21},
    "services": {"Field calibration": 44, "Depot repair": 24, "Beacon software subscriptions": 32},
}
REGIONS = {"Americas": (55, 53), "Europe, Middle East and Africa": (28, 29),
           "Asia Pacific": (17, 18)}


def by_region(f: Filing, year: int) -> dict[str, dict[str, int]]:
    """Net sales of a year by product family and region."""
    out = {}
    tilt = year - 2022
    for key, families in FAMILIES.items():
        weights = [w + (tilt if i == len(families) - 1 else 0)
                   for i, w in enumerate(families.values())]
        for j, (name, sales) in enumerate(
            zip(families, split(f.model(key, year), weights), strict=True)
        ):
            shares = [a + j * 1.3 if i == 1 else a + tilt * 0.4 * (i == 2)
                      for i, (a, _) in enumerate(REGIONS.values())]
            out[name] = dict(zip(REGIONS, split(sales, shares), strict=True))
    return out


def family_table(f: Filing) -> Table:
    """The long table: every product family in every region, two years."""
    years = f.years[:2]
    sales = {y: by_region(f, y) for y in years}
    rows = []
    for families in FAMILIES.values():
        for name in families:
            rows.append(Row(f"{name}:", style="head"))
            rows += [Row(r, [Num(sales[y][name][r]) for y in years], indent=1) for r in REGIONS]
            rows.append(Row(f"Total {name[0].lower() + name[1:]}",
                            [Num(sum(sales[y][name].values())) for y in years], "sum"))
    rows.append(f.row("revenue", years, "total", dollar=True))
    return f.table(rows, years)


def region_sales(f: Filing) -> list[tuple[str, dict[int, int]]]:
    """Net sales by region, summed from the product families."""
    sales = {y: by_region(f, y) for y in f.years}
    return [(r, {y: sum(line[r] for line in sales[y].values()) for y in f.years})
            for r in REGIONS]


def segments(f: Filing) -> list[tuple[str, dict[int, int]]]:
    """Operating income by segment and what is not allocated."""
    direct = {2021: 12410, 2022: 13205, 2023: 14118, 2024: 15360}
    central = {2021: 24310, 2022: 25870, 2023: 27404, 2024: 28115}
    m = f.model
    service = {y: m("services", y) - m("cost_services", y) - direct[y] for y in f.years}
    rest = {y: m("amortization", y) + m("restructuring", y) for y in f.years}
    sensing = {y: m("operating", y) - service[y] + central[y] + rest[y] for y in f.years}
    return [
        ("Sensing Products", sensing),
        ("Calibration and Services", service),
        ("Unallocated corporate costs", {y: -central[y] for y in f.years}),
        ("Amortization and restructuring", {y: -rest[y] for y in f.years}),
    ]


def business(f: Filing) -> list[Block]:
    """Item 1."""
    return prose(f"""
## Overview

Larkspur designs and makes sensors that tell plant operators what is happening inside pipes, tanks
and rotating machines. Our instruments measure pressure, temperature, flow, level, vibration and
torque. Around them we sell calibration, repair and a monitoring application called Beacon, which
gathers readings from our own sensors and from those of other makers.

The company was founded in Rockford in 1968 to build thermocouples for foundries. At
{f.end(f.year)} we employed {f.pick("1,612", "1,548")} people, of whom
{f.pick("431", "398")} worked outside the United States. About
{f.pick("19%", "18%")} of our employees, all at the Rockford plant, are covered by a collective
agreement that runs until {f.pick("September 2024", "September 2028")}.

## Segments and products

We report two segments. Sensing Products covers process sensors and machine-condition sensors.
Calibration and Services covers field calibration, depot repair and Beacon subscriptions.

**Process sensors.** Pressure transmitters, temperature probes, flow meters and level switches go
into refineries, water works, food plants and semiconductor fabs. A typical instrument stays in
place for nine to twelve years, and roughly {f.pick("58%", "61%")} of process sensor sales replace
an instrument of ours that has reached the end of its life.

**Machine-condition sensors.** Vibration monitors, proximity probes and torque transducers watch
turbines, compressors and gearboxes for signs of wear.
{f.pick('''In April 2023 we added wireless vibration nodes by acquiring Norrvik Signal AB of
Lulea, Sweden, described in the notes to our statements.''', '''Wireless nodes from Norrvik Signal
AB, which we bought in 2023, made up 14% of the category in fiscal 2024 and are now assembled in
Queretaro beside our wired probes.''')}

**Calibration and software services.** Our eleven accredited laboratories certify instruments
against national standards. Beacon is sold by the monitored point;
{f.pick("186,000", "251,000")} points were connected at year-end, compared with
{f.pick("132,000", "186,000")} a year earlier.

## Customers and backlog

We sold to more than {f.pick("6,400", "6,700")} customers in {f.fy(f.year)}. The largest, a
distributor of process equipment in the Gulf Coast region, accounted for
{f.pick("7.8%", "8.4%")} of net sales, and no other customer reached five per cent. Order backlog
was {f.pick("$94.6 million", "$88.1 million")} at {f.end(f.year)}, against
{f.pick("$103.9 million", "$94.6 million")} a year before. We expect to ship
{f.pick("91%", "93%")} of it within twelve months.

## Manufacturing and supply

{f.pick('''We machine housings and assemble instruments in Rockford, in Dunmore, Pennsylvania, and
in Queretaro, Mexico. Sensing elements are made only in Rockford, in a clean room that ran at 84%
of capacity.''', '''We machine housings and assemble instruments in Rockford and in Queretaro,
Mexico. Assembly in Dunmore, Pennsylvania, ended in September 2024. Sensing elements are made only
in Rockford, in a clean room that ran at 79% of capacity.''')} Application-specific circuits come
from one foundry in Taiwan. We hold about {f.pick("seven", "five")} months of those circuits in
stock, since a change of supplier would need new certification for explosive atmospheres.

## Research and intellectual property

Research and development spending was {f.money("rd")}, or {f.ratio("rd")} of net sales, in
{f.fy(f.year)}. We held {f.pick("214", "231")} issued patents at year-end; they expire between
{f.pick("2024 and 2042", "2025 and 2043")}. No single patent matters to more than
{f.pick("six", "five")} per cent of sales.

## Competition

Rivals range from diversified automation groups with far larger sales forces to small specialists.
Buyers weigh accuracy over the life of the instrument, approvals for hazardous areas, delivery time
and price. We believe our delivery time, {f.pick("23", "17")} working days on average in
{f.fy(f.year)}, is a reason customers choose us.

## Regulation and environment

Instruments for hazardous areas must carry approvals that take six to eighteen months to obtain. Our
plants use solvents and plating chemicals under state permits. We spent
{f.pick("$1.1 million", "$1.4 million")} on environmental compliance in {f.fy(f.year)} and expect a
like amount next year.

## Seasonality

Sales are usually lowest in the first quarter, when plants in cold regions postpone outages, and
highest in the fourth, when maintenance budgets are spent.
""")


def risks(f: Filing) -> list[Block]:
    """Item 1A."""
    return prose(f"""
The risks below could harm our business. They are not the only ones we face.

## Risks from our markets

**Spending by process plants rises and falls.** About {f.pick("37%", "34%")} of our net sales go to
oil, gas and chemical customers, who cut maintenance and capital budgets quickly when their own
prices fall.
{f.pick('''During the second half of fiscal 2023 two refiners postponed turnarounds, which moved
about $6 million of orders into the following year.''', '''In fiscal 2024 chemical producers in
Europe closed or idled units that had taken roughly $9 million of our process sensors a year
earlier, and we do not expect those orders to return.''')}

**Distributors may reduce stock at the same time.** Some {f.pick("44%", "42%")} of product sales
pass through distributors. When lead times shorten, distributors order less until their shelves are
down, so our sales can fall further than the use of our instruments.
{f.pick('''We began to see such reductions in the fourth quarter of fiscal 2023.''', '''We estimate
that destocking cost us $11 million of net sales in fiscal 2024, mostly before July.''')}

**Competitors may offer sensing as part of a whole control system.** Larger suppliers can bundle
instruments with control software and accept low prices on the instrument. If plants standardise on
a single vendor we may be limited to replacement demand.

## Risks from operations

**One plant makes every sensing element.** The clean room at Rockford has no second site. A fire,
a contamination event or a long power failure there would stop most shipments within
{f.pick("six", "four")} weeks, because that is the stock of finished elements we keep. Our business
interruption cover is limited to {f.pick("$60 million", "$75 million")} for each event.

**We depend on a sole foundry for circuits.** The foundry in Taiwan that makes our
application-specific circuits may allot capacity to bigger customers, and trade limits or conflict
in the region could interrupt deliveries. Qualifying another foundry would take at least eighteen
months.

{f.pick('''**Inventory may become obsolete.** After the shortages of earlier years we raised stocks
of components; inventories reached $86.0 million at the end of fiscal 2023. If demand for older
models falls we may have to write part of this stock down.''', '''**Moving production may disturb
deliveries.** We closed assembly in Dunmore and moved its lines to Queretaro during fiscal 2024.
New staff there have less experience, scrap on torque transducers rose to 5.2% in the fourth
quarter, and customers may turn to others if quality or delivery slips.''')}

**Faulty instruments can cause accidents.** A sensor that misreads pressure or level may lead to a
spill, an explosion or injury. Our product liability insurance pays up to $50 million a year above
a retention of {f.pick("$1.0 million", "$2.0 million")}; a claim above that limit would fall on us.

**Skilled technicians are scarce.** Calibration laboratories need accredited metrologists, and it
takes about two years to train one. Turnover among them was {f.pick("13%", "10%")} in
{f.fy(f.year)}.

**Beacon could be attacked.** Beacon sits on the networks of plants that are targets for criminals
and states. A breach that spread from our software to a customer's controls could end the
product's acceptance. Customers may also decline cloud connections on principle.

## Risks from finance and law

**Our debt limits what we may do.** We owed
{f.amount(f.model("debt_long", f.year) + f.model("debt_current", f.year))} under our credit
agreement at {f.end(f.year)}. The agreement requires net leverage of no more than 3.50 times and
interest cover of at least 3.00 times. A breach would let the lenders demand repayment at once.

**Goodwill may have to be written down.** Goodwill and other intangible assets made up
{round(100 * (f.model("goodwill", f.year) + f.model("intangibles", f.year))
       / f.model("assets", f.year))}% of total assets at year-end. Lower forecasts or a higher
discount rate could bring a charge like those that other instrument makers have taken.

**Exchange rates and tariffs affect our costs.** {f.pick("31%", "33%")} of net sales are made in
currencies other than the dollar, chiefly the euro and the Swedish krona.
{f.pick('''Duties on Chinese castings added $2.2 million to our cost of sales in fiscal 2023.''',
'''Duties on Chinese castings added $3.1 million to our cost of sales in fiscal 2024, and proposed
duties on goods from Mexico would reach almost everything assembled in Queretaro.''')}

**Environmental clean-up could cost more than we have set aside.** We share responsibility for
solvents found in groundwater under a former plating shop in Rockford. Our reserve was
{f.pick("$3.2 million", "$2.9 million")} at year-end. The reserve assumes twelve more years of
pumping; a finding that the plume has spread would raise it.
""")


def properties(f: Filing) -> list[Block]:
    """Item 2."""
    sites = [
        ("Rockford, Illinois", "Headquarters, sensing elements, assembly", "Owned", "312,000"),
        ("Queretaro, Mexico", "Assembly", "Leased", f.pick("118,000", "176,000")),
        ("Lulea, Sweden", "Wireless nodes, engineering", "Leased", "41,000"),
        ("Houston, Texas", "Calibration and repair", "Leased", "36,500"),
        ("Stuttgart, Germany", "Calibration, sales", "Leased", "28,000"),
        ("Singapore", "Sales, calibration", "Leased", "14,200"),
    ]
    if f.year == 2023:
        sites.insert(2, ("Dunmore, Pennsylvania", "Assembly", "Owned", "94,000"))
    table = Table(
        [[("Use", 1), ("Tenure", 1), ("Square feet", 1)]],
        [Row(name, [*rest]) for name, *rest in sites],
        3,
    )
    return prose(f"""
Our principal properties at {f.end(f.year)} were:

[[sites]]

Seven smaller laboratories are leased. {f.pick('''We believe our space is adequate; an extension of
the Queretaro building is under study.''', '''The building in Dunmore was emptied and is offered for
sale; it is carried at $2.7 million within other assets.''')}
""", {"sites": table})


def ebitda_table(f: Filing) -> Table:
    """Net income to adjusted EBITDA."""
    m = f.model
    keys = ("net", "interest", "tax", "depreciation", "amortization", "sbc", "restructuring")
    rows = [row for key in keys for row in f.rows((key,), f.years)]
    other: list[Num | str | None] = [Num(-m("other_income", y)) for y in f.years]
    rows.insert(2, Row("Interest and other income, net (subtracted)", other, indent=1))
    total = {y: adjusted(f, y) for y in f.years}
    rows.append(Row("Adjusted EBITDA", [Num(total[y], dollar=True) for y in f.years], "total"))
    margin: list[Num | str | None] = [
        Num(round(100 * total[y] / m("revenue", y), 1), "percent") for y in f.years
    ]
    rows.append(Row("Adjusted EBITDA as a percentage of net sales", margin))
    return f.table(rows, f.years)


def adjusted(f: Filing, year: int) -> int:
    """Adjusted EBITDA."""
    return f.model.total(
        ("operating", "depreciation", "amortization", "sbc", "restructuring"), year
    )


def results_table(f: Filing) -> Table:
    """Two years with the change in dollars and per cent under stacked heads."""
    m, y = f.model, f.year
    keys = (*REVENUE, "revenue", "cost", "gross", "rd", "sga", "amortization", "restructuring",
            "operating", "interest", "other_income", "pretax", "tax", "net")
    rows = []
    for i, key in enumerate(keys):
        if not m(key, y) and not m(key, y - 1):
            continue
        before = m(key, y - 1)
        rate = Num(m.growth(key, y), "percent") if before else "n/m"
        style = "sum" if key in ("revenue", "gross", "operating", "net") else "plain"
        rows.append(Row(f.label(key), [
            f.num(key, y, dollar=i == 0), f.num(key, y - 1, dollar=i == 0),
            Num(m.change(key, y), dollar=i == 0), rate], style))
    heads = [[("Fiscal Year Ended December 31,", 2), ("Change", 2)],
             [(str(y), 1), (str(y - 1), 1), ("Amount", 1), ("Percent", 1)]]
    return Table(heads, rows, 4)


def discussion(f: Filing) -> list[Block]:
    """Item 7."""
    m, y = f.model, f.year
    seg = f.split_rows(segments(f), "Income from operations", f.years)
    flows = ("cf_operating", "cf_investing", "cf_financing", "cf_fx", "cf_net")
    cash = f.table([f.row(k, f.years, "total" if k == "cf_net" else "plain") for k in flows],
                   f.years)
    margin = m.share_of("gross", "revenue", y)
    before = m.share_of("gross", "revenue", y - 1)
    tax = m.share_of("tax", "pretax", y)
    tax_before = m.share_of("tax", "pretax", y - 1)
    return prose(f"""
Read this discussion together with the statements and notes in Item 8. Amounts in the tables are in
thousands; in the text they are in millions where we say so.

## Summary of the year

Net sales {f.moved("revenue")} to {f.money("revenue")} in {f.fy(y)} from
{f.money("revenue", y - 1)}. Income from operations was {f.money("operating")}, or
{f.ratio("operating")} of net sales, compared with {f.money("operating", y - 1)}, or
{f.ratio("operating", year=y - 1)}, in {f.fy(y - 1)}. Diluted earnings were
${m.per_share("diluted", y):.2f} a share; the year before they were
${m.per_share("diluted", y - 1):.2f}.

{f.pick('''Three things shaped fiscal 2023. The purchase of Norrvik Signal in April added $7.9
million of net sales in nine months. Supply of circuits returned to normal, so we worked off late
orders and backlog fell. And higher interest rates raised the cost of our floating-rate debt.''',
'''Three things shaped fiscal 2024. Distributors ran down their stock of process sensors, mainly in
the first half. Services grew strongly as customers renewed Beacon contracts for longer terms. And
we closed the Dunmore plant, which cost $5.2 million in restructuring charges but should save about
$4.4 million a year from fiscal 2025.''')}

## Results of operations

[[results]]

n/m: not meaningful.

### Net sales

Process sensor sales {f.moved("process")} to {f.money("process")}.
{f.pick('''Prices were raised by an average of 4.1% in February 2023, while unit volumes fell by
about two per cent as refiners put off turnarounds.''', '''Unit volumes fell by about six per cent
because of destocking and plant closures in Europe; price increases averaging 2.8% made up part of
the shortfall.''')}

Machine-condition sensor sales {f.moved("condition")} to {f.money("condition")}.
{f.pick('''Most of the growth came from Norrvik Signal; without the acquisition the category was
nearly flat.''', '''Wireless nodes accounted for most of the increase, helped by two large orders
from wind-farm operators worth $4.6 million together.''')}

Calibration and software services {f.moved("services")} to {f.money("services")}.
{f.pick('''Beacon subscriptions grew faster than field calibration, where a shortage of technicians
held us back.''', '''Beacon passed a quarter of a million monitored points and its annual renewal
rate by value was 96%.''')}

### Gross profit

Gross profit as a percentage of net sales was {margin}%, against {before}% in {f.fy(y - 1)}.
{f.pick('''Price increases outran the cost of components, and we paid $3.3 million less for
expedited freight.''', '''The larger part of services in the mix added about one percentage point,
and cheaper components added most of the rest; tariffs worked the other way.''')}

### Operating expenses

Research and development expense {f.moved("rd")} to {f.money("rd")},
{f.pick('''mainly for the engineers who joined with Norrvik Signal.''', '''mainly for the next
version of Beacon and for approvals of wireless nodes in hazardous areas.''')} Selling, general and
administrative expense {f.moved("sga")} to {f.money("sga")}.
{f.pick('''Acquisition costs accounted for $1.3 million of the rise.''', '''Wage increases
accounted for $2.1 million of the rise and a new order system for $0.8 million.''')}
Amortization of acquired intangible assets was {f.money("amortization")}.

### Interest and taxes

Interest expense {f.moved("interest")} to {f.money("interest")}.
{f.pick('''The average rate on our borrowings rose to 6.4% from 5.2%, and we borrowed to pay for the
acquisition.''', '''We repaid $27.5 million of debt during the year, and the average rate fell to
5.8%.''')} The effective tax rate was {tax}%, compared with {tax_before}% in
{f.fy(y - 1)}.

## Segment results

[[segments]]

{f.pick('''The Calibration and Services segment earned more because laboratory hours were better
used.''', '''The Calibration and Services segment earned more because Beacon costs little to serve
once a point is connected. Sensing Products earned more on lower sales because material costs
fell.''')}

## Non-GAAP measure

Adjusted EBITDA leaves out items that we do not regard as part of running the business. It is no
substitute for net income. Adjusted EBITDA was {f.amount(adjusted(f, y))} in {f.fy(y)} and
{f.amount(adjusted(f, y - 1))} in {f.fy(y - 1)}.

[[ebitda]]

## Liquidity and capital resources

[[cash]]

Operations provided {f.money("cf_operating")} of cash in {f.fy(y)}, compared with
{f.money("cf_operating", y - 1)} in {f.fy(y - 1)}.
{f.pick('''Inventories took less cash than in the year before, when we bought components ahead of
need.''', '''Lower inventories released $7.7 million, after three years in which they had tied up
cash.''')} Capital expenditures were {f.money("capex")};
we plan to spend {f.pick("$15 million to $18 million in fiscal 2024, about half of it on the "
"Queretaro plant", "$19 million to $22 million in fiscal 2025, of which $6 million is for a second "
"clean-room line in Rockford")}.

We returned {f.amount(m("dividends", y) + m("repurchases", y))} to stockholders:
{f.money("dividends")} in dividends and {f.money("repurchases")} in repurchases. At year-end we held
{f.money("cash")} of cash and could draw a further
${150 - (m("debt_long", y) + m("debt_current", y) - TERM[y]) / 1000:.1f} million under our revolving
facility. Cash held by foreign subsidiaries was {f.pick("$21.4 million", "$26.9 million")}. Net
leverage, which is debt less cash divided by adjusted EBITDA, stood at
{(m("debt_long", y) + m("debt_current", y) - m("cash", y)) / adjusted(f, y):.2f} times. We believe
that cash and the facility will cover our needs for at least the next twelve months.

## Critical accounting estimates

**Inventory reserves.** We write down stock that exceeds expected use over the next
{f.pick("twenty-four", "eighteen")} months. The reserve was
{f.pick("$8.8 million", "$10.6 million")} at year-end. If expected use were ten per cent lower, the
reserve would rise by about {f.pick("$1.2 million", "$1.5 million")}.

**Goodwill.** We test goodwill each October. The fair value of the Machine-Condition unit exceeded
its carrying amount by {f.pick("22%", "31%")} in {f.fy(y)}; that of every other unit by more than
60%. A rise of one percentage point in the discount rate would not have led to a charge.

**Warranty.** We accrue for repairs over the two- or three-year warranty on products. The accrual is
based on claims over the last thirty-six months, adjusted for known faults.
""", {"results": results_table(f), "segments": seg, "ebitda": ebitda_table(f), "cash": cash})


TERM = {2023: 90000, 2024: 82500}


def debt_note(f: Filing) -> list[Block]:
    """Debt by instrument and by year due."""
    m, y = f.model, f.year
    total = {i: m("debt_current", i) + m("debt_long", i) for i in (y, y - 1)}
    term = {2022: 95000, **TERM}
    rows = [
        Row("Term loan due May 2028", [Num(term[i], dollar=True) for i in (y, y - 1)], indent=1),
        Row("Revolving credit facility due May 2028",
            [Num(total[i] - term[i]) for i in (y, y - 1)], indent=1),
        Row("Total debt", [Num(total[i], concept="us-gaap:LongTermDebt", year=i, instant=True)
                           for i in (y, y - 1)], "sum"),
        Row("Less current portion", [f.num("debt_current", i, -1) for i in (y, y - 1)], indent=1),
        f.row("debt_long", (y, y - 1), "total", dollar=True),
    ]
    due = dict.fromkeys(range(y + 1, 2028), 7500)
    due[2028] = total[y] - sum(due.values())
    ages = [Row(f"Fiscal {i}", [Num(v, dollar=i == y + 1)], indent=1) for i, v in due.items()]
    ages.append(Row("Total principal due", [Num(sum(due.values()), dollar=True)], "total"))
    return prose(f"""
We have a credit agreement with a group of seven banks that provides a term loan and a revolving
facility of $150.0 million, both due in May 2028. Borrowings bear interest at the secured overnight
rate plus 1.25% to 2.00%, depending on leverage; the rate in force was
{f.pick("6.85%", "5.96%")} at {f.end(y)}. We pay 0.20% a year on the part not drawn. The loans are
secured by substantially all domestic assets.

[[debt]]

Principal falls due as follows:

[[ages]]

Interest rate swaps with a notional amount of $60.0 million fix the base rate at
3.12% until June 2026. We complied with every covenant at year-end.
""", {
        "debt": f.table(rows, (y, y - 1), instant=True),
        "ages": Table([[("Principal", 1)]], ages, 1),
    })


def notes(f: Filing) -> list[Block]:
    """The notes to the statements."""
    m, y = f.model, f.year
    stock = f.split_rows(
        parts(f, "inventories", {"Raw materials and components": 46, "Work in process": 17,
                                 "Finished goods": 37}),
        "Total inventories", f.years[:2], True,
        {"Raw materials and components": "us-gaap:InventoryRawMaterialsNetOfReserves",
         "Total inventories": "us-gaap:InventoryNet"},
    )
    regions = f.split_rows(region_sales(f), "Total net sales", f.years)
    seg_sales = f.split_rows(
        [("Sensing Products", {i: m("process", i) + m("condition", i) for i in f.years}),
         ("Calibration and Services", {i: m("services", i) for i in f.years})],
        "Total net sales", f.years)
    seg_income = f.split_rows(segments(f), "Income from operations", f.years)
    restructuring = Table([[("Severance", 1), ("Site closure", 1), ("Total", 1)]], [
        Row("Charges in fiscal 2024", [Num(3410), Num(1836), Num(5246)]),
        Row("Paid in cash", [Num(-2688), Num(-1102), Num(-3790)]),
        Row("Liability at December 31, 2024", [Num(722), Num(734), Num(1456)], "total"),
    ], 3)
    purchase = Table([[("Fair value", 1)]], [
        Row("Customer relationships (12 years)", [Num(9480, dollar=True)]),
        Row("Developed technology (9 years)", [Num(7350)]),
        Row("Trade name (5 years)", [Num(1500)]),
        Row("Goodwill", [Num(15466)]),
        Row("Cash paid, net of cash acquired", [Num(-m("cf_acquisition", 2023), dollar=True)],
            "total"),
    ], 1)
    assert m("cf_acquisition", 2023) == -(9480 + 7350 + 1500 + 15466)
    weights = [24, 22, 20, 18, 16]
    soon = split(round(m("intangibles", y) * 0.69705), weights)
    later = dict(zip(range(y + 1, y + 6), soon, strict=True))
    ahead = Table([[("Expected amortization", 1)]], [
        *[Row(f"Fiscal {i}", [Num(v)]) for i, v in later.items()],
        Row("Thereafter", [Num(m("intangibles", y) - sum(later.values()))]),
        Row("Total intangible assets, net", [Num(m("intangibles", y), dollar=True)], "total"),
    ], 1)
    deal = prose(f"""
On April 3, 2023, we acquired all shares of Norrvik Signal AB, a Swedish maker of wireless vibration
nodes, for {f.amount(33796)} in cash, net of cash acquired. The purchase was paid from the revolving
facility. Norrvik Signal belongs to the Sensing Products segment. Goodwill reflects its engineers
and the use of its nodes with Beacon; it cannot be deducted for tax.

[[purchase]]

Expected amortization of intangible assets at {f.end(y)} is:

[[ahead]]
""", {"purchase": purchase, "ahead": ahead})
    all_notes = [
        ("Business and Accounting Policies", prose(f"""
Larkspur Instruments, Inc. makes sensors for process plants and rotating machines. The statements
include all subsidiaries; balances between them are eliminated. Preparing the statements calls for
estimates, chiefly for inventory reserves, warranty and the value of acquired assets.

**Revenue.** We recognise product revenue when control passes, usually on shipment. Calibration
revenue is recognised when the certificate is issued and Beacon subscriptions evenly over the term.
Payment is normally due in 45 days.

**Inventories.** Inventories are stated at the lower of cost, first-in first-out, and net realisable
value.

**Foreign currency.** Subsidiaries abroad use their local currency. Their statements are translated
at year-end rates, and differences go to other comprehensive income.

**New standards.** {f.pick('''The standard on segment expenses issued in November 2023 will apply to
us from fiscal 2024; we are studying it.''', '''We adopted the standard on segment expenses in this
report. The standard on income tax detail will apply from fiscal 2025.''')}
""")),
        ("Revenue", prose(f"""
The table shows net sales by product family and region. A region is where the customer takes
delivery.

[[families]]

Regional totals are:

[[regions]]

Revenue recognised in {f.fy(y)} from the deferred balance at the start of the year was
{f.amount(round(m("deferred_revenue", y - 1) * 0.87))}. The United States accounted for
{f.pick("46%", "45%")} of net sales; no other country exceeded nine per cent.
""", {"families": family_table(f), "regions": regions})),
        ("Segments", prose("""
The chief executive officer decides on resources by segment operating income, which leaves out
central costs, amortization and restructuring.

Net sales by segment:

[[sales]]

Operating income by segment:

[[income]]
""", {"sales": seg_sales, "income": seg_income})),
        ("Inventories", prose(
            f"Inventories, after reserves of {f.pick('$8.8 million', '$10.6 million')}, were:"
            "\n\n[[t]]", {"t": stock})),
        property_note(f, {"Land and buildings": 31, "Machinery and test equipment": 52,
                          "Computers and software": 12, "Construction in progress": 5},
                      "Buildings are depreciated over 30 years, machinery over 5 to 12 years and "
                      "computers and software over 3 to 5 years, on a straight line."),
        ("Acquisition and Intangible Assets", deal),
        accrued_note(f, {"Wages and bonuses": 41, "Warranty": 14, "Customer rebates": 12,
                         "Income and other taxes": 13, "Other": 20}),
        ("Debt", debt_note(f)),
        lease_note(f, "We lease plants, laboratories and vehicles.", f.pick("4.6%", "4.9%"),
                   f.pick("5.8", "5.3")),
        tax_note(f, {"Federal, current": 58, "State, current": 12, "Foreign, current": 30}, 0.022,
                 0.012, "Earnings of foreign subsidiaries of "
                 + f.pick("$34.1 million", "$39.7 million")
                 + " are regarded as permanently invested abroad."),
        stock_note(
            f,
            "The 2019 Equity Plan allows awards over 2,400,000 shares, of which "
            + f.pick("1,012,000", "731,000") + " were left at year-end. Units vest over three "
            "years; performance units depend on return on capital.",
            {"Cost of sales": 12, "Research and development": 27,
             "Selling, general and administrative": 61},
            {2023: (318400, 241900, 22600), 2024: (301700, 256300, 31800)}, 588200,
            {2022: (0, 0, 0, 25.10), 2023: (28.44, 25.06, 25.90, 26.77),
             2024: (30.12, 26.81, 27.35, 28.36)},
            f.pick("$11.2 million, to be recognised over 1.9 years",
                   "$11.8 million, to be recognised over 1.8 years")),
        shares_note(f, f"Awards over {f.pick('84,000', '61,000')} shares were left out of the "
                       f"{f.fy(y)} figure because they would have raised it."),
    ]
    if y == 2024:
        all_notes.append(("Restructuring", prose("""
In February 2024 we decided to close the assembly plant in Dunmore, Pennsylvania, and move its work
to Queretaro. The plan ended 118 jobs and was complete in December 2024.

[[t]]
""", {"t": restructuring})))
    all_notes += [
        ("Commitments and Contingencies", prose(f"""
Purchase commitments for circuits and castings were {f.pick("$28.6 million", "$22.3 million")} at
{f.end(y)}, nearly all due within a year. We have given bank guarantees of
{f.pick("$4.1 million", "$3.8 million")} to customers.

State authorities hold us and a former neighbour responsible for solvents in groundwater near our
Rockford plant. We carry a reserve of {f.pick("$3.2 million", "$2.9 million")}, undiscounted, for
our share of the clean-up. We think it reasonably possible that the cost will be up to
{f.pick("$2.4 million", "$2.0 million")} higher.

{f.pick('''A customer has sued in Texas over a tank overflow in 2021 and claims $7.5 million. We
believe our level switch worked as designed and have accrued nothing.''', '''The suit over a tank
overflow in Texas, in which a customer had claimed $7.5 million, was settled in August 2024; our
share, $0.9 million, was paid within our insurance retention.''')}
""")),
        ("Subsequent Events", prose(f"""
{f.pick('''On February 12, 2024, the board approved closing the plant in Dunmore. We expect charges
of $5 million to $6 million in fiscal 2024. On the same day the board declared a dividend of $0.13 a
share, payable on March 22, 2024.''', '''On January 28, 2025, the board authorised repurchases of up
to $40 million of common stock, replacing the earlier programme, and declared a dividend of $0.14 a
share, payable on March 21, 2025.''')}
""")),
    ]
    return numbered(all_notes)


def text(f: Filing) -> dict[str, list[Block]]:
    """The items whose words are the company's own."""
    m, y = f.model, f.year
    open_debt = m("debt_long", y) + m("debt_current", y) - 60000
    bought = f.pick(
        [("October 2023", 41200, 27.15), ("November 2023", 66800, 28.02),
         ("December 2023", 52500, 29.37)],
        [("October 2024", 58400, 31.20), ("November 2024", 72100, 32.48),
         ("December 2024", 49900, 31.86)],
    )
    matter = (
        f"**Inventory reserves.** Inventories were {f.money('inventories')} at {f.end(y)} after a "
        f"reserve of {f.pick('$8.8 million', '$10.6 million')}. Judging future use of slow-moving "
        "components called for much auditor judgment. We tested the controls over the estimate, "
        "compared past forecasts with actual use and examined stock sold after year-end."
    )
    return {
        "1": business(f),
        "1A": risks(f),
        "2": properties(f),
        "3": prose(f"""
Apart from the matters described in the note on commitments and contingencies, we are not a party to
any legal proceeding that we expect to be material. {f.pick('''The tank overflow suit in Texas is
set for trial in October 2024.''', '''No proceeding of that kind was pending at the end of fiscal
2024.''')}
"""),
        "5": market(f, f.pick("1,104", "1,061"), f"""
We have paid a dividend every quarter since 1994. Dividends declared came to
${m.dividend[y]:.2f} a share in {f.fy(y)} and ${m.dividend[y - 1]:.2f} in {f.fy(y - 1)}. At year-end
{f.pick("$29.3 million", "$10.9 million")} was left under the repurchase programme the board had
approved in November 2022.
""", repurchase_table(f, bought)),
        "7": discussion(f),
        "7A": prose(f"""
**Interest rates.** Of our floating-rate debt, {f.amount(open_debt)} was not covered by swaps at
{f.end(y)}. A rise of one percentage point would cost about
${open_debt / 100000:.2f} million a year before tax.

**Currencies.** A dollar stronger by ten per cent against all other currencies would have lowered
{f.fy(y)} net sales by about {f.pick("$11.9 million", "$13.1 million")} and operating income by
about {f.pick("$2.3 million", "$2.8 million")}. We hedge part of the krona and peso exposure with
forwards; contracts with a notional amount of {f.pick("$18.5 million", "$24.0 million")} were open
at year-end.

**Materials.** We buy stainless castings, nickel alloys and platinum wire. A ten per cent rise in
their prices would add roughly {f.pick("$2.6 million", "$2.4 million")} to yearly costs.
"""),
        "8": [*audit_report(f, matter), *statements(f), *notes(f)],
    }
