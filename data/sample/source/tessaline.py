"""Tessaline Software, Inc.: the figures and words of a made-up software firm that restates."""

from boilerplate import audit_report, market, repurchase_table
from filing import Company, Filing
from markup import Block, Kind, Num, Row, Table, prose
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

REVENUE = ("subscription", "professional")
ERROR = 4218


def figures(filing_year: int) -> Model:
    """The model, in thousands; from the 2024 filing on, fiscal 2023 is restated."""
    wrong = ERROR if filing_year >= 2024 else 0
    return Model(
        REVENUE,
        ("cost_subscription", "cost_professional"),
        ("rd", "sm", "ga", "amortization"),
        {
            "subscription": (118402, 151876, 189640 - wrong, 226815),
            "professional": (21330, 24118, 26944, 28307),
            "cost_subscription": (27104, 34210, 41866, 48930),
            "cost_professional": (18240, 20655, 22870, 23714),
            "rd": (38812, 48205, 56340, 61877),
            "sm": (58440, 70912, 80155, 86420),
            "ga": (22016, 25430, 28118, 33205),
            "amortization": (3120, 3120, 3984, 4272),
            "interest": (1612, 1612, 1612, 1612),
            "other_income": (611, 902, 4405, 6180),
            "tax": (310, 402, 618, 742),
            "capex": (5204, 6118, 5907, 6340),
            "depreciation": (4618, 5120, 5544, 5902),
            "acquired_intangibles": (0, 0, 7480, 0),
            "sbc": (18204, 24118, 29640, 33902),
            "proceeds": (6118, 5204, 4880, 5316),
            "withholding": (2104, 2806, 3310, 3940),
            "repurchases": (0, 0, 0, 10020),
            "purchases": (61204, 72118, 88640, 104306),
        },
        {
            "securities": (88400, 80112, 84206, 96515, 118340),
            "receivables": (31204, 37880, 46512, 55318, 63077),
            "costs_current": (8112, 9640, 11805, 13902, 15816),
            "prepaid": (7204, 8115, 9306, 10118, 11040),
            "rou": (24118, 22306, 20114, 22870, 20916),
            "goodwill": (41206, 41206, 41206, 52818, 52818),
            "costs_long": (15330, 18204, 22416, 26108, 28940),
            "other_assets": (3118, 3402, 3715, 4006, 4288),
            "payables": (5118, 5640, 6204, 6911, 6480),
            "accrued": (21304, 25118, 29440, 33206, 36815),
            "deferred_revenue": (58204, 74330, 93118, 112640 + wrong, 137905),
            "lease_current": (3902, 4015, 4118, 4306, 4420),
            "debt_long": (100000, 100000, 100000, 100000, 100000),
            "lease_long": (21440, 19502, 17210, 19804, 17716),
            "deferred_tax": (310, 402, 455, 520, 604),
            "other_liabilities": (1204, 1310, 1422, 1510, 1602),
            "par": (42, 42, 42, 42, 42),
            "aoci": (-204, -318, -412, -355, -290),
        },
        {"cash": 64310, "ppe": 12840, "intangibles": 16420, "apic": 214806, "treasury": 0},
        {"basic": (41206, 42318, 43502, 44690), "diluted": (41206, 42318, 43502, 46215)},
        (0.0, 0.0, 0.0, 0.0),
    )


COMPANY = Company(
    name="Tessaline Software, Inc.",
    short="Tessaline",
    ticker="TSLT",
    prefix="tslt",
    cik="0009900303",
    file_number="001-99303",
    ein="99-0300303",
    state="Delaware",
    street="1180 Foundry Street, Suite 900",
    town="Durham, North Carolina 27701",
    phone="(919) 555-0118",
    exchange="New York Stock Exchange",
    stock="Class A Common Stock, $0.001 par value",
    unit="thousands",
    scale=3,
    fiscal="fiscal ",
    periods={y: (f"{y - 1}-07-01", f"{y}-06-30") for y in range(2019, 2025)},
    auditor="Orvane Whitlock LLP",
    auditor_town="Raleigh, North Carolina",
    auditor_since=2016,
    officers=(
        ("Saskia Lindqvist-Moore", "Chief Executive Officer and Director"),
        ("Emeka Standish", "Chief Financial Officer"),
        ("Rosalind Achterberg", "Chair of the Board"),
        ("Pavel Iturbe", "Chief Security Officer"),
    ),
    float_value={2023: "902,417", 2024: "1,018,663"},
    float_date={2023: "December 30, 2022", 2024: "December 29, 2023"},
    outstanding={2023: 44018226, 2024: 45107390},
    outstanding_date={2023: "August 18, 2023", 2024: "September 20, 2024"},
    filed={2023: "August 25, 2023", 2024: "September 27, 2024"},
    labels={
        "subscription": "Subscription",
        "professional": "Professional services",
        "cost_subscription": "Cost of subscription",
        "cost_professional": "Cost of professional services",
        "operating": "Loss from operations",
        "pretax": "Income (loss) before income taxes",
        "net": "Net income (loss)",
        "comprehensive": "Comprehensive income (loss)",
        "retained": "Accumulated deficit",
        "debt_long": "Convertible senior notes",
        "per_share": "Net income (loss) per share",
        "operations": "CONSOLIDATED STATEMENTS OF OPERATIONS",
        "comp_title": "CONSOLIDATED STATEMENTS OF COMPREHENSIVE INCOME (LOSS)",
        "tax_rest": "Valuation allowance, equity awards and other, net",
        "cf_financing": "Net cash provided by (used in) financing activities",
    },
    figures=figures,
    restated_in=2024,
)

# Quarter: annual recurring revenue, customers, customers above $100,000, net retention,
# monthly active users in thousands.
QUARTERS: dict[str, tuple[int, int, int, float, int]] = {
    "September 30, 2021": (132640, 1688, 402, 113.8, 241),
    "December 31, 2021": (143215, 1742, 431, 114.2, 256),
    "March 31, 2022": (154380, 1801, 462, 114.6, 274),
    "June 30, 2022": (166870, 1866, 497, 114.9, 292),
    "September 30, 2022": (176115, 1914, 523, 114.1, 306),
    "December 31, 2022": (187240, 1967, 551, 113.2, 321),
    "March 31, 2023": (196535, 2008, 574, 112.0, 338),
    "June 30, 2023": (206910, 2054, 601, 111.3, 352),
    "September 30, 2023": (215480, 2089, 622, 110.6, 367),
    "December 31, 2023": (225305, 2131, 648, 109.9, 383),
    "March 31, 2024": (233960, 2164, 667, 109.1, 401),
    "June 30, 2024": (243820, 2207, 693, 108.7, 418),
}


def closing(year: int) -> tuple[int, int, int, float, int]:
    """The metrics on June 30 of a year."""
    return QUARTERS[f"June 30, {year}"]


def metrics_table(f: Filing) -> Table:
    """The long table of Item 7: eight quarters of metrics, one under the other."""
    names = list(QUARTERS)
    last = names.index(f"June 30, {f.year}") + 1
    captions = ("Annual recurring revenue (thousands)", "Customers",
                "Customers above $100,000 a year", "Net revenue retention",
                "Monthly active users (thousands)")
    kinds: tuple[Kind, ...] = ("money", "count", "count", "percent", "count")
    rows = []
    for name in names[last - 8:last]:
        rows.append(Row(f"Quarter ended {name}", style="head"))
        for caption, kind, value in zip(captions, kinds, QUARTERS[name], strict=True):
            rows.append(Row(caption, [Num(value, kind, dollar=kind == "money")], indent=1))
    return Table([[("Metric (1)", 1)]], rows, 1)


def business(f: Filing) -> list[Block]:
    """Item 1."""
    y = f.year
    arr, customers, large, *_ = closing(y)
    return prose(f"""
## Overview

Tessaline sells software with which hospitals and clinics buy supplies. Our customers use it to keep
supplier contracts in one place, to check each purchase order against the agreed price and to see
which departments buy outside the contract. We deliver it over the internet by subscription.

At {f.end(y)} we had {customers:,} customers, {large} of whom paid us more than $100,000 a
year, and annual recurring revenue of {f.amount(arr)}. Tessaline was founded in Durham in 2009 by
two former purchasing managers of a hospital group.

## Products

**Tessaline Ledger** stores contracts and price lists and matches invoices to them. It is the
product with which most customers begin; {f.pick("94%", "95%")} of them use it.

**Tessaline Source** runs tenders and compares bids. {f.pick("41%", "46%")} of customers
subscribe to it.

**Tessaline Recall**, {f.pick("which came to us with Corvane Data in October 2022, tells customers "
"which of their lots a manufacturer has recalled; 180 customers had signed by year-end",
"which tells customers which of their lots a manufacturer has recalled, was used by 412 customers "
"at year-end, more than twice as many as a year before")}.

{f.pick('''**Planned assistant.** We are testing an assistant that drafts tender documents. We do
not expect revenue from it before fiscal 2025.''', '''**Tessaline Draft**, an assistant that drafts
tender documents with the help of a language model, was released in February 2024. It is priced by
the document, and 96 customers had used it by year-end. Its revenue was less than one per cent of
the total.''')}

## Subscriptions and services

Subscriptions usually run for three years and are billed a year ahead. The price depends on the
number of beds and on modules. Professional services set up the software and move old contracts into
it; projects take {f.pick("eleven", "nine")} weeks on average. We aim to break even or earn a
little on services, since they lead to subscriptions.

## Customers and sales

No customer accounted for more than {f.pick("3.1%", "2.8%")} of revenue. Group purchasing
organisations brought {f.pick("29%", "32%")} of new subscriptions in {f.fy(y)}; the remainder came
through our own sales force of {f.pick("186", "178")} people. It takes {f.pick("seven to nine",
"eight to ten")} months to win a hospital.

## Hosting

We run the software in three data regions of one cloud provider, two in the United States and one in
Ireland. Availability was {f.pick("99.96%", "99.93%")} in {f.fy(y)}, against a promise of 99.9%.
Our contract with the provider commits us to spend {f.pick("$38 million from July 2022 to June "
"2025", "$64 million from July 2024 to June 2028")}.

## Competition

We compete with purchasing modules of large business software suites, with a few firms that serve
health care only, and with spreadsheets. We win when a hospital wants its price files checked line
by line; we lose when a suite is being installed anyway.

## Research and development

We employed {f.pick("412", "437")} engineers and designers at year-end. Research and development
expense was {f.money("rd")}, or {f.ratio("rd")} of revenue, in {f.fy(y)}. We do not capitalise
development of our hosted software, because the stage in which that would be required is short.

## People

We had {f.pick("1,094", "1,121")} employees, {f.pick("163", "188")} of them in Ireland and India.
{f.pick('''Voluntary turnover was 12.6%.''', '''Voluntary turnover was 9.8%. In January 2024 we cut
thirty-four posts in sales and marketing.''')} None belongs to a union.

## Regulation

Customers are subject to health privacy law. Our software is not meant to hold patient records, yet
recall notices can contain some, so we sign business associate agreements. Data of customers in the
European Union stays in Ireland.
""")


def risks(f: Filing) -> list[Block]:
    """Item 1A."""
    y = f.year
    _, _, _, retention, _ = closing(y)
    special = f.pick("""
**We may find faults in our controls.** We grow quickly and our contracts are becoming more varied.
In fiscal 2023 our internal control was judged effective, but a control that works today may not be
enough for new contract terms. If we found a material weakness, investors might lose trust in our
figures.
""", f"""
**We have restated our statements and found a material weakness.** As the notes explain, we
recognised {f.amount(ERROR)} of subscription revenue too early in fiscal 2023. The error arose
because nobody in finance reviewed clauses that let certain customers leave without penalty. We have
begun to mend this weakness, but the work is not finished. We may find other errors, be sued or have
trouble raising money. Up to September 2024 the restatement had cost us $3.7 million in fees.
""")
    return prose(f"""
## Risks from our business

**We have a history of losses.** {f.pick(f'''We lost {f.money("net")} in fiscal 2023 and
{f.money("net", y - 1)} in fiscal 2022. Our accumulated deficit was {f.money("retained")} at
June 30, 2023. We may never earn a profit.''', f'''We earned {f.money("net")} in fiscal 2024, but
only because of interest income; operations still lost {f.money("operating")}. Our accumulated
deficit was {f.money("retained")} at June 30, 2024. We may not stay profitable.''')}

**Customers may not renew or may buy less.** Net revenue retention was {retention}% at
{f.end(y)}, down from {closing(y - 1)[3]}% a year earlier. {f.pick('''Hospitals under pressure from
nursing wages have put off adding modules.''', '''Several hospital groups merged in fiscal 2024 and
kept one subscription where they had paid for two, which took about $5.9 million from annual
recurring revenue.''')}

**Hospitals are short of money.** Nearly all our revenue comes from hospitals and clinics. Lower
payments from public programmes, higher wages or closures would reduce what they spend on software.
{f.pick('''Thirty-one customers asked to postpone payment in fiscal 2023.''', '''Two customers
entered bankruptcy in fiscal 2024, and we wrote off $0.8 million they owed.''')}

**We rely on group purchasing organisations.** Four such organisations recommend us to their
members. Each may end its agreement with ninety days&#8217; notice. The loss
of the largest would affect {f.pick("12%", "13%")} of annual recurring revenue at renewal.

**Long sales cycles make results hard to foresee.** A contract that slips from June to July lowers
the year&#8217;s bookings though not by much its revenue, as we recognise subscriptions over time.

## Risks from technology

**A single cloud provider hosts us.** An outage at the provider stops our service.
{f.pick('''On March 7, 2023, customers in the eastern region could not log in for five hours; we
granted credits of $0.3 million.''', '''On November 14, 2023, a fault in the provider's network
stopped the eastern region for eleven hours; we granted credits of $0.7 million.''')}

**An intrusion would harm our name.** Price files are confidential between supplier and hospital.
Anyone who stole them could learn what each hospital pays. {f.pick('''We found and closed a flaw in
our log-in page in January 2023; we saw no sign that it had been used.''', '''In April 2024 an
attacker used the password of a contractor to read configuration files; no price files were
reached.''')}

{f.pick('''**New tools may replace ours.** Language models may soon read contracts well enough that
hospitals could build simple matching tools themselves.''', '''**Our drafting assistant may be
wrong.** Tessaline Draft uses a language model made by another company. It can invent clauses or
reveal text. A customer that relies on a faulty draft may claim damages, and rules on such tools are
still changing.''')}

**We use open-source software.** Some licences could force us to publish our code if we failed to
follow them. We scan each release for this.

## Risks from finance and reporting

{special}

**Commissions are spread over years.** Deferred commissions were {f.amount(costs(f, y))} at year-end
and are expensed over five years. If customers left sooner we would have to expense them faster.

**Our convertible notes must be repaid or converted.** We owe {f.money("debt_long")} of 1.25% notes
due March 2027. The conversion price is $41.60. If our stock stays below it we shall need
{f.money("debt_long")} in cash or new loans.

**Use of tax losses may be limited.** We had federal loss carryforwards of
{f.pick("$141 million", "$128 million")} at year-end. A change of ownership, as tax law defines it,
would limit their yearly use.
""")


def costs(f: Filing, year: int) -> int:
    """Deferred commissions, current and non-current."""
    return f.model("costs_current", year) + f.model("costs_long", year)


def free_cash_table(f: Filing) -> Table:
    """Operating cash flow less capital expenditures."""
    m = f.model
    margin: list[Num | str | None] = [
        Num(m.share_of("free_cash", "revenue", y), "percent") for y in f.years]
    rows = [f.row("cf_operating", f.years, dollar=True), f.row("cf_capex", f.years),
            f.row("free_cash", f.years, "total", dollar=True),
            Row("Free cash flow as a percentage of revenue", margin)]
    return f.table(rows, f.years)


def operating_table(f: Filing) -> Table:
    """Loss from operations without equity awards and amortization."""
    m = f.model
    total = {y: non_gaap(f, y) for y in f.years}
    rows = [f.row("operating", f.years, dollar=True), f.row("sbc", f.years),
            f.row("amortization", f.years),
            Row("Non-GAAP income from operations", [Num(v, dollar=True) for v in total.values()],
                "total"),
            Row("Non-GAAP operating margin",
                [Num(round(100 * v / m("revenue", y), 1), "percent") for y, v in total.items()])]
    return f.table(rows, f.years)


def non_gaap(f: Filing, year: int) -> int:
    """Non-GAAP income from operations."""
    return f.model.total(("operating", "sbc", "amortization"), year)


def results_table(f: Filing) -> Table:
    """Two years with the change in dollars and per cent."""
    m, (y, z, _) = f.model, f.years
    keys = (*REVENUE, "revenue", "cost_subscription", "cost_professional", "gross", "rd", "sm",
            "ga", "amortization", "operating", "interest", "other_income", "pretax", "tax", "net")
    rows = []
    for i, key in enumerate(keys):
        same_sign = m(key, y) > 0 and m(key, z) > 0
        rate = Num(m.growth(key, y), "percent") if same_sign else "n/m"
        rows.append(Row(f.label(key), [
            f.num(key, y, dollar=i == 0), f.num(key, z, dollar=i == 0),
            Num(m.change(key, y), dollar=i == 0), rate],
            "sum" if key in ("revenue", "gross", "operating", "net") else "plain"))
    mark = " (as restated)" if f.year == COMPANY.restated_in else ""
    heads = [[("Fiscal Year Ended June 30,", 2), ("Change", 2)],
             [(str(y), 1), (f"{z}{mark}", 1), ("Amount", 1), ("Percent", 1)]]
    return Table(heads, rows, 4)


def discussion(f: Filing) -> list[Block]:
    """Item 7."""
    m, y = f.model, f.year
    z = y - 1
    flows = ("cf_operating", "cf_investing", "cf_financing", "cf_fx", "cf_net")
    cash = f.table([f.row(k, f.years, "total" if k == "cf_net" else "plain") for k in flows],
                   f.years)
    arr, before = closing(y)[0], closing(z)[0]
    margin = round(100 * (1 - m("cost_subscription", y) / m("subscription", y)), 1)
    margin_before = round(100 * (1 - m("cost_subscription", z) / m("subscription", z)), 1)
    notice = f.pick("", f"""
## Restatement

Figures for fiscal 2023 in this discussion are restated. We had recognised {f.amount(ERROR)} of
subscription revenue in fiscal 2023 that belongs to later years. The correction lowered total
revenue and raised the net loss of that year by the same amount; cash flows from operations did not
change. The notes show each line as previously reported and as restated.
""")
    return prose(f"""
This discussion belongs with the statements and notes in Item 8. Our fiscal year ends on June 30.
Tables are in thousands unless they say otherwise.

{notice}

## Summary

Total revenue {f.moved("revenue")} to {f.money("revenue")} in {f.fy(y)}. Subscription revenue
{f.moved("subscription")} to {f.money("subscription")} and made up {f.ratio("subscription")} of the
total. {f.pick(f'''The net loss was {f.money("net")}, compared with {f.money("net", z)} in
fiscal 2022.''', f'''We earned {f.money("net")} after a restated loss of {f.money("net", z)} in
fiscal 2023.''')} Annual recurring revenue reached {f.amount(arr)}, up
{round(100 * (arr / before - 1), 1)}% from {f.amount(before)}.

{f.pick('''In October 2022 we bought Corvane Data, whose product is now Tessaline Recall. We hired
fewer people in the second half, and interest on our investments rose with market rates.''',
'''We reduced sales and marketing posts, released Tessaline Draft and began to repurchase stock.
Mergers among hospitals lowered net revenue retention.''')}

## Key metrics

[[metrics]]

~ (1) Annual recurring revenue is the yearly value of subscriptions in force on the day. Net revenue
retention compares it, for customers of a year before, with what they paid then.
{f.pick("", "The restatement did not change these metrics, which rest on contract values.")}

## Results of operations

[[results]]

n/m: not meaningful.

### Revenue

{f.pick('''Of the growth in subscription revenue about two thirds came from existing customers who
added beds or modules, and one third from new ones. Corvane Data added $3.6 million.''', '''New
customers accounted for about 45% of the growth in subscription revenue and existing ones for the
rest. Price increases at renewal averaged 4.5%.''')} Professional services revenue
{f.moved("professional")} to {f.money("professional")}.

### Cost of revenue and gross profit

The gross margin on subscriptions was {margin}%, against {margin_before}% the year before.
{f.pick('''Hosting grew with the number of price files, and support staff of Corvane Data joined
us.''', '''Better hosting terms from January 2024 and fewer support tickets per customer lowered
cost.''')} Total gross profit was {f.ratio("gross")} of revenue.

### Operating expenses

Research and development {f.moved("rd")} to {f.money("rd")}. Sales and marketing {f.moved("sm")} to
{f.money("sm")}; {f.pick("amortization of deferred commissions was $13.5 million of it",
"amortization of deferred commissions was $15.7 million of it, and severance $1.2 million")}.
General and administrative {f.moved("ga")} to {f.money("ga")}, {f.pick('''mainly because of audit
fees and the purchase of Corvane Data''', '''of which $2.4 million was for lawyers and accountants
who worked on the restatement before year-end''')}.

### Interest and taxes

Interest expense was {f.money("interest")} in both years. Interest and other income was
{f.money("other_income")}, compared with {f.money("other_income", z)}, because yields on short-term
investments were higher{f.pick("", " and we held more of them")}. The provision for income taxes
relates to states and to Ireland and India.

## Non-GAAP measures

Free cash flow is cash from operations less purchases of property and equipment. Non-GAAP income
from operations leaves out equity awards and amortization of acquired assets. It was
{f.amount(non_gaap(f, y))} in {f.fy(y)} and {f.amount(non_gaap(f, z))} in {f.fy(z)}.

[[free]]

[[non_gaap]]

## Liquidity and capital resources

[[cash]]

Cash and cash equivalents were {f.money("cash")} and short-term investments {f.money("securities")}
at {f.end(y)}. Customers mostly pay for a year in advance, so that cash from operations, which was
{f.money("cf_operating")}, exceeds what the statement of operations suggests.
{f.pick('''We spent $19.1 million on Corvane Data.''', '''We repurchased stock for $10.0 million
under a programme of $40 million approved in November 2023.''')} We may draw up to $30 million under
a bank facility that costs us a yearly fee of about $0.4 million; nothing was drawn. We think our
funds will last for at least twelve months and expect to refinance the notes before March 2027.

## Critical accounting estimates

**Revenue.** {f.pick('''We judge whether a contract contains several promises and how the price is
divided among them. Most contracts follow our standard form and call for little judgment.''',
'''We judge whether a customer is bound for the whole stated term. Where it may leave without a
substantive penalty, the contract for accounting purposes lasts only for the notice period, however
long the stated term. This judgment was at the root of the restatement.''')}

**Deferred commissions.** We expense commissions on new contracts over five years, which is our
estimate of how long a customer benefits. A period of four years would have raised expense in
{f.fy(y)} by about {f.pick("$2.6 million", "$3.1 million")}.

**Valuation allowance.** We hold an allowance against all net domestic deferred tax assets, since
losses weigh more than forecasts. It was {f.pick("$52.3 million", "$55.6 million")} at year-end.
""", {"metrics": metrics_table(f), "results": results_table(f), "free": free_cash_table(f),
      "non_gaap": operating_table(f), "cash": cash})


def restatement(f: Filing) -> list[Block]:
    """The note that shows fiscal 2023 as reported, the adjustment and as restated."""
    old, new = figures(2023), f.model
    keys = ("subscription", "revenue", "gross", "operating", "pretax", "net", "deferred_revenue",
            "liabilities", "retained", "equity", "cf_deferred_revenue", "cf_operating")
    rows = [
        Row(f.label(key), [Num(old(key, 2023)), Num(new(key, 2023) - old(key, 2023)),
                           Num(new(key, 2023))])
        for key in keys
    ]
    per = (old.per_share("basic", 2023), new.per_share("basic", 2023))
    rows.append(Row("Net loss per share, basic and diluted", [
        Num(per[0], "eps", dollar=True), Num(round(per[1] - per[0], 2), "eps", dollar=True),
        Num(per[1], "eps", dollar=True)]))
    heads = [[("Fiscal Year Ended, or at, June 30, 2023", 3)],
             [("As previously reported", 1), ("Adjustment", 1), ("As restated", 1)]]
    assert rows[0].cells[1] == Num(-ERROR)
    return prose(f"""
While closing fiscal 2024 we found that nineteen contracts signed in fiscal 2023 through two group
purchasing organisations let the hospital leave on sixty days&#8217; notice without penalty. We had
treated the stated term of three years as binding and had allotted too much of the price to the
first months. Subscription revenue of fiscal 2023 was overstated by {f.amount(ERROR)}, and deferred
revenue understated by the same amount.

The audit committee concluded on August 6, 2024, that the statements of fiscal 2023 should no longer
be relied on. Because of the valuation allowance there was no effect on income taxes. Earlier years
were not affected. The table shows the effect on the lines concerned.

[[t]]

Remaining performance obligations at June 30, 2023, reported as $338.6 million, were restated to
$321.9 million.
""", {"t": Table(heads, rows, 3)})


def notes(f: Filing) -> list[Block]:
    """The notes to the statements."""
    m, y = f.model, f.year
    regions = f.split_rows(
        parts(f, "revenue", {"United States": 84, "Canada": 7, "United Kingdom and Ireland": 6,
                             "Other countries": 3}), "Total revenue", f.years)
    modules = f.split_rows(
        parts(f, "subscription", {"Tessaline Ledger": 66, "Tessaline Source": 28,
                                  "Tessaline Recall and other": 6}),
        "Total subscription revenue", f.years)
    spent = {2022: 11204, 2023: 13480, 2024: 15722}
    shown = f.years[:2]
    roll = f.table([
        Row("Balance at start of year", [Num(costs(f, i - 1), dollar=True) for i in shown]),
        Row("Commissions deferred", [Num(costs(f, i) - costs(f, i - 1) + spent[i])
                                     for i in shown]),
        Row("Amortization", [Num(-spent[i]) for i in shown]),
        Row("Balance at end of year", [Num(costs(f, i), dollar=True) for i in shown], "total"),
    ], shown)
    held = f.split_rows(
        parts(f, "securities", {"U.S. Treasury bills": 52, "Commercial paper": 29,
                                "Corporate notes": 19}),
        "Total short-term investments", f.years[:2], True)
    later = split(m("intangibles", y), [31.24, 27, 21, 13, 7.76])
    ahead = Table([[("Expected amortization", 1)]], [
        *[Row(f"Fiscal {y + 1 + i}", [Num(v)]) for i, v in enumerate(later)],
        Row("Total intangible assets, net", [Num(m("intangibles", y), dollar=True)], "total")], 1)
    bought = -m("cf_acquisition", 2023)
    out = [("Business and Accounting Policies", prose(f"""
Tessaline Software, Inc. sells purchasing software to hospitals and clinics by subscription. The
statements include all subsidiaries. We operate as one segment; the chief executive officer reviews
results for the company as a whole.

**Revenue.** Subscription revenue is recognised evenly over the contract term from the day access is
given. Professional services revenue is recognised as hours are worked. Amounts billed ahead of
revenue are deferred. {f.pick("", "Where a customer may leave without substantive penalty, the "
"term is taken to be the notice period.")}

**Receivables.** Receivables are shown after an allowance for losses of
{f.pick("$1.4 million", "$2.1 million")}.

**Software development.** Cost of the hosted software is expensed until the application stage, which
is short; nothing has been capitalised in the years shown.

**New standards.** {f.pick("No standard adopted in fiscal 2023 had a material effect.",
"The standard on segment expenses applies to us from fiscal 2025.")}
"""))]
    if y == COMPANY.restated_in:
        out.append(("Restatement of Fiscal 2023", restatement(f)))
    out += [
        ("Revenue", prose(f"""
Revenue by country of the customer was:

[[regions]]

Subscription revenue by product was:

[[modules]]

Deferred revenue was {f.money("deferred_revenue")} at {f.end(y)}. Of the balance at the start of the
year, {f.pick("$89.7 million", "$110.3 million")} was recognised in {f.fy(y)}. Remaining performance
obligations, which include contracts not yet billed, were {f.pick("$338.6 million",
"$389.2 million")}; we expect to recognise {f.pick("54%", "56%")} of them within twelve months.
""", {"regions": regions, "modules": modules})),
        ("Deferred Commissions", prose("""
Commissions paid for new contracts are deferred and amortized over five years; those for renewals
over the renewal term.

[[t]]
""", {"t": roll})),
        ("Short-Term Investments", prose("""
All investments are available for sale, mature within fifteen months and are valued from quoted
prices of the same or like securities.

[[t]]
""", {"t": held})),
        property_note(f, {"Computers": 47, "Furniture": 18, "Leasehold improvements": 35},
                      "Computers are depreciated over three years, furniture over seven and "
                      "leasehold improvements over the lease."),
        ("Acquisition, Goodwill and Intangible Assets", prose(f"""
On October 11, 2022, we bought all shares of Corvane Data, Inc. for {f.amount(bought)} in cash, net
of cash acquired. We recorded developed technology of {f.amount(5240)}, customer relationships of
{f.amount(2240)} and goodwill of {f.amount(m.change("goodwill", 2023))}.

Intangible assets at {f.end(y)} will be amortized as follows:

[[t]]
""", {"t": ahead})),
        accrued_note(f, {"Wages, bonuses and commissions": 61, "Hosting and professional fees": 17,
                         "Taxes": 9, "Other": 13}),
        ("Convertible Notes and Credit Facility", prose(f"""
In March 2022 holders exchanged older notes for {f.money("debt_long")} of 1.25% convertible senior
notes due March 15, 2027. They convert at $41.60 a share, or 24.0385 shares for each $1,000 of
principal, and are carried at principal. Their fair value was {f.pick("$91.2 million",
"$95.8 million")} at {f.end(y)}. Interest expense of {f.money("interest")} in each year consists of
coupon interest of $1.25 million and facility fees of $0.36 million.

We may borrow up to $30.0 million from a bank until December 2026 if liquidity stays above
$50.0 million. Nothing was drawn at year-end, and we complied with the covenant.
""")),
        lease_note(f, "We lease offices in Durham, Dublin and Pune.", f.pick("5.4%", "5.6%"),
                   f.pick("5.9", "5.1")),
        tax_note(f, {"State, current": 38, "Foreign, current": 62}, 0.018, 0.009,
                 "Federal loss carryforwards of " + f.pick("$141 million", "$128 million")
                 + " do not lapse; those of states lapse from 2031."),
        stock_note(
            f,
            "The 2018 Equity Plan reserves shares that grow by four per cent each July. Units vest "
            "over four years, a quarter after the first and the rest by quarter-years.",
            {"Cost of revenue": 11, "Research and development": 38, "Sales and marketing": 27,
             "General and administrative": 24},
            {2023: (1684000, 1102000, 246000), 2024: (1597000, 1218000, 231000)}, 2866000,
            {2022: (0, 0, 0, 24.15), 2023: (21.40, 23.88, 22.96, 22.70),
             2024: (23.75, 22.61, 22.80, 23.25)},
            f.pick("$66.8 million, over 2.6 years", "$68.1 million, over 2.5 years")),
        shares_note(f, f.pick("In years of loss no award is counted, since it would lower the loss "
                              "per share.", "The notes, convertible into 2,403,850 shares, were "
                              "left out in every year because they would have raised the figure.")),
        ("Commitments and Contingencies", prose(f"""
Under our hosting contract we must still pay {f.pick("$27.4 million by June 2025",
"$64.0 million by June 2028")}. We promise customers to bear claims that our software infringes
rights of others; no such claim has cost us anything.

{f.pick('''In February 2023 a competitor, Ardmere Systems, sued us in Delaware over two patents on
price matching. We think the patents invalid and have accrued nothing.''', '''The patent suit of
Ardmere Systems was settled in May 2024; we pay $2.6 million in four yearly parts and took a
licence. After we announced the restatement, a stockholder sued us and two officers in North
Carolina on August 21, 2024, on behalf of buyers of our stock since August 2023. We cannot estimate
a loss.''')}
""")),
        ("Subsequent Events", prose(f"""
{f.pick('''On July 20, 2023, we signed a lease for 22,000 square feet in Pune that starts in
January 2024 and calls for $2.9 million over six years.''', '''On July 31, 2024, we agreed to sell
our small Canadian reseller for $1.8 million. On August 6, 2024, the audit committee reached the
conclusion on the restatement described above.''')}
""")),
    ]
    return numbered(out)


def text(f: Filing) -> dict[str, list[Block]]:
    """The items whose words are the company's own."""
    m, y = f.model, f.year
    matter = f.pick(
        "**Deferred commissions.** The five-year period rests on judgment about renewals and the "
        "life of technology. We compared it with actual customer lives and with industry data.",
        "**Contract term.** Deciding whether customers can leave without penalty decides when "
        "revenue is recognised. Because of the restatement we read all contracts above $250,000 "
        "and a sample of others, and computed revenue again for each.",
    )
    adverse = f.pick(
        "",
        f"In our opinion, because of the material weakness described in Item 9A, the Company did "
        f"not maintain effective internal control over financial reporting as of {f.end(y)}. As "
        "Note 2 explains, the statements of fiscal 2023 have been restated.",
    )
    own: dict[str, list[Block]] = {
        "1": business(f),
        "1A": risks(f),
        "2": prose(f"""
We own no real estate. Our head office is {f.pick("96,000", "82,000")} square feet in a former
tobacco works in Durham, under a lease until 2029. We also lease 18,500 square feet in Dublin and
{f.pick("9,000", "31,000")} square feet in Pune.
{f.pick("", "We gave up one floor in Durham in December 2023.")}
"""),
        "3": prose(f"""
{f.pick('''See the description of the patent suit of Ardmere Systems in the note on commitments and
contingencies.''', '''See the description of the settlement with Ardmere Systems and of the
stockholder suit in the note on commitments and contingencies.''')} We are not aware of other
proceedings that could be material.
"""),
        "5": [*prose(f"""
### Market and holders

Our Class A common stock trades on the {COMPANY.exchange} under the symbol TSLT. As of
{COMPANY.outstanding_date[y]}, there were {f.pick("212", "198")} holders of record. We have never
paid a dividend and do not plan to.

We did not repurchase stock in {f.fy(y)}.
""")] if y == 2023 else market(f, "198", """
We have never paid a dividend and do not plan to. In November 2023 the board approved repurchases of
up to $40 million, of which $30.0 million remained at year-end.
""", repurchase_table(f, [("April 2024", 61200, 24.88), ("May 2024", 74500, 25.31),
                          ("June 2024", 48100, 23.97)])),
        "7": discussion(f),
        "7A": prose(f"""
**Interest rates.** We held {f.amount(m("cash", y) + m("securities", y))} of cash and short-term
investments. A fall of one percentage point in yields would lower yearly income by about
${(m("cash", y) + m("securities", y)) / 100000:.1f} million. Our notes carry a fixed rate.

**Currencies.** We pay wages in euros and rupees. A dollar weaker by ten per cent would have raised
{f.fy(y)} expenses by about {f.pick("$2.0 million", "$2.4 million")}. We do not hedge.
"""),
        "8": [*audit_report(f, matter, adverse), *statements(f), *notes(f)],
    }
    if y == COMPANY.restated_in:
        own["9A"] = prose(f"""
### Evaluation of disclosure controls and procedures

Our chief executive officer and chief financial officer evaluated our disclosure controls and
procedures. They concluded that, because of the material weakness described below, the controls were
not effective as of {f.end(y)}.

### Management&#8217;s report on internal control over financial reporting

Management assessed internal control as of {f.end(y)} against the 2013 framework of the sponsoring
organisations committee and concluded that it was not effective. We did not have a control under
which staff with accounting knowledge reviewed termination clauses in contracts signed through
group purchasing organisations. The weakness led to the restatement of fiscal 2023.
{COMPANY.auditor} has issued an adverse report on internal control, which stands in Item 8.

### Steps taken

Since July 2024 a contract accountant reads every agreement before its revenue is scheduled, the
sales force must mark departures from our standard form, and internal audit tests a sample each
month. The weakness will count as cured once these controls have worked for two quarters.

### Changes in internal control

Apart from these steps, no change in the last quarter of {f.fy(y)} materially affected our internal
control over financial reporting.
""")
    return own
