"""The cover and the items whose wording hardly differs from company to company."""

from filing import Filing
from markup import Block, Contents, PageBreak, Para, Row, Table, prose


def cover(f: Filing) -> list[Block]:
    """The cover page, its facts tagged with dei concepts, and the table of contents."""
    c, y = f.company, f.year
    tag = f.facts.text
    end = f.end(y)
    shares = f.facts.number(
        f"{c.outstanding[y]:,}", "dei:EntityCommonStockSharesOutstanding", y, unit="shares"
    )
    market = f.facts.number(c.float_value[y], "dei:EntityPublicFloat", y, scale=c.scale,
                            decimals=-c.scale)
    words = "million" if c.scale == 6 else "thousand"
    listing = Table(
        [[("Title of each class", 1), ("Trading symbol", 1), ("Name of each exchange", 1)]],
        [
            Row(
                "Registered under Section 12(b):",
                [
                    tag(c.stock, "dei:Security12bTitle", y),
                    tag(c.ticker, "dei:TradingSymbol", y),
                    tag(c.exchange, "dei:SecurityExchangeName", y),
                ],
            )
        ],
        3,
    )
    lines: list[Block] = [
        Para("**UNITED STATES**", "center"),
        Para("**SECURITIES AND EXCHANGE COMMISSION**", "center"),
        Para("**Washington, D.C.&#160;20549**", "center"),
        Para("FORM " + tag("10-K", "dei:DocumentType", y), "big"),
        Para("&#9746;&#160;&#160;**ANNUAL REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE "
             "SECURITIES EXCHANGE ACT OF 1934**"),
        Para("For the fiscal year ended "
             + tag(end, "dei:DocumentPeriodEndDate", y, "ixt:date-monthname-day-year-en"),
             "center"),
        Para("&#9744;&#160;&#160;**TRANSITION REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE "
             "SECURITIES EXCHANGE ACT OF 1934**"),
        Para("Commission file number: " + tag(c.file_number, "dei:EntityFileNumber", y), "center"),
        Para(tag(c.name, "dei:EntityRegistrantName", y), "big"),
        Para("(Exact name of registrant as specified in its charter)", "center"),
        Para(tag(c.state, "dei:EntityIncorporationStateCountryCode", y)
             + " (State of incorporation)&#160;&#160;&#160;"
             + tag(c.ein, "dei:EntityTaxIdentificationNumber", y)
             + " (I.R.S. Employer Identification No.)", "center"),
        Para(tag(c.street, "dei:EntityAddressAddressLine1", y) + ", " + c.town, "center"),
        Para("(Address of principal executive offices)", "center"),
        Para(f"Registrant&#8217;s telephone number, including area code: {c.phone}", "center"),
        listing,
        Para("Securities registered pursuant to Section 12(g) of the Act: None", "center"),
        *prose(f"""
Indicate by check mark if the registrant is a well-known seasoned issuer, as defined in Rule 405.
Yes &#9744; No &#9746;

Indicate by check mark if the registrant is not required to file reports under Section 13 or
Section 15(d). Yes &#9744; No &#9746;

Indicate by check mark whether the registrant has filed all reports required during the preceding
12 months and has been subject to those filing requirements for the past 90 days. Yes &#9746;
No &#9744;

Indicate by check mark whether the registrant has submitted every interactive data file required
under Regulation S-T. Yes &#9746; No &#9744;

Large accelerated filer &#9744;&#160; Accelerated filer &#9746;&#160; Non-accelerated filer
&#9744;&#160; Smaller reporting company &#9744;&#160; Emerging growth company &#9744;

Indicate by check mark whether the registrant is a shell company. Yes &#9744; No &#9746;

The aggregate market value of the voting stock held by non-affiliates of the registrant on
{c.float_date[y]}, the last business day of its most recently completed second fiscal quarter, was
about ${market} {words}, computed from the closing price on {c.exchange} on that day.

As of {c.outstanding_date[y]}, the registrant had {shares} shares of common stock outstanding.

^ **DOCUMENTS INCORPORATED BY REFERENCE**

Parts of the registrant&#8217;s definitive proxy statement for its next annual meeting of
stockholders, to be filed within 120 days after {end}, are incorporated by reference into Part III.
"""),
        PageBreak(),
        Para(f"**{c.name.upper()}**", "center"),
        Para(f"**ANNUAL REPORT ON FORM 10-K FOR THE FISCAL YEAR ENDED {end.upper()}**", "center"),
        Para("**TABLE OF CONTENTS**", "center"),
        Contents(),
        PageBreak(),
    ]
    return [*lines, *forward_looking(f)]


def hidden(f: Filing) -> list[str]:
    """The dei facts that stand in ix:hidden."""
    end = f.company.periods[f.year][1]
    values = {
        "dei:EntityCentralIndexKey": f.company.cik,
        "dei:DocumentFiscalYearFocus": str(f.year),
        "dei:DocumentFiscalPeriodFocus": "FY",
        "dei:AmendmentFlag": "false",
        "dei:CurrentFiscalYearEndDate": "--" + end[5:],
        "dei:AuditorName": f.company.auditor,
        "dei:AuditorLocation": f.company.auditor_town,
    }
    return [f.facts.text(value, name, f.year) for name, value in values.items()]


def forward_looking(f: Filing) -> list[Block]:
    """The note on forward-looking statements."""
    s = f.company.short
    return prose(f"""
## Forward-Looking Statements and Terms Used in This Report

This report contains statements about what we expect, plan or believe will happen. Words such as
&#8220;expect,&#8221; &#8220;intend,&#8221; &#8220;could&#8221; and &#8220;should&#8221; mark many
of them. Results may turn out differently for the reasons given under Item 1A and for reasons we do
not foresee. We do not undertake to revise these statements after the date of this report.

In this report &#8220;{s},&#8221; &#8220;we,&#8221; &#8220;us&#8221; and &#8220;our&#8221; mean
{f.company.name} and its consolidated subsidiaries. {f.fy(f.year).capitalize()} means the fiscal
year ended {f.end(f.year)}, and {f.fy(f.last)} the fiscal year ended {f.end(f.last)}. Amounts in
tables are in {f.company.unit} unless a caption says otherwise; percentages were worked out from
the figures shown. Small differences can arise from rounding.
""")


def cybersecurity(f: Filing) -> list[Block]:
    """Item 1C."""
    chief = f.company.officers[3][1]
    return prose(f"""
### Risk management and strategy

Our cybersecurity programme is part of the company-wide risk register that management updates each
quarter. It follows a recognised public framework for identifying threats, protecting systems,
detecting intrusions, responding and recovering. Outside specialists test our perimeter twice a
year and run one unannounced exercise annually. Vendors that store our data complete a security
questionnaire before a contract is signed and again at each renewal.

We keep an incident plan that names who decides, who informs customers and who judges whether an
event is material. During {f.fy(f.year)} no cybersecurity event affected, or was reasonably likely
to affect, our strategy, results or financial condition in a material way.

### Governance

The audit committee of the board oversees cybersecurity risk. It hears from the {chief} every
quarter and from the full security team once a year. The {chief} has more than
{f.pick("fourteen", "fifteen")} years of experience in information security and reports to the
chief executive officer.
""")


def controls(f: Filing) -> list[Block]:
    """Item 9A where controls were effective."""
    return prose(f"""
### Evaluation of disclosure controls and procedures

Under the supervision of our chief executive officer and chief financial officer, management
evaluated our disclosure controls and procedures as of {f.end(f.year)}. Both officers concluded
that the controls were effective at the reasonable assurance level on that date.

### Management&#8217;s report on internal control over financial reporting

Management is responsible for establishing and keeping adequate internal control over financial
reporting. We assessed it as of {f.end(f.year)} against the criteria of the 2013 internal control
framework of the sponsoring organisations committee and concluded that it was effective.
{f.company.auditor} has issued an attestation report, which stands in Item 8.

### Changes in internal control

No change during the last fiscal quarter of {f.fy(f.year)} materially affected, or is reasonably
likely to materially affect, our internal control over financial reporting.
""")


def audit_report(f: Filing, matter: str, reservation: str = "") -> list[Block]:
    """The auditor's report with one critical audit matter."""
    c = f.company
    years = ", ".join(f.end(y) for y in f.years[:2])
    opinion = reservation or (
        "Also in our opinion, the Company maintained, in all material respects, effective "
        f"internal control over financial reporting as of {f.end(f.year)}."
    )
    return prose(f"""
## Report of Independent Registered Public Accounting Firm

To the Stockholders and the Board of Directors of {c.name}

### Opinions on the financial statements and on internal control

We have audited the consolidated balance sheets of {c.name} (the Company) as of {years}, the
related statements of operations, stockholders&#8217; equity and cash flows for each of the three
fiscal years in the period ended {f.end(f.year)}, and the notes. In our opinion these statements
present fairly, in all material respects, the financial position of the Company and the results of
its operations and its cash flows in conformity with accounting principles generally accepted in
the United States. {opinion}

### Basis for the opinions

Management is responsible for the statements and for internal control. Our part is to express
opinions on them. We are registered with the Public Company Accounting Oversight Board and are
independent of the Company as its rules require. We planned and carried out our audits to obtain
reasonable assurance that the statements are free of material misstatement, whether through error
or fraud, testing the evidence for amounts and disclosures and judging the principles used.

### Critical audit matter

{matter}

/s/ {c.auditor}

{c.auditor_town}, {c.filed[f.year]}. We have served as the Company&#8217;s auditor since
{c.auditor_since}.
""")


def part_three(f: Filing) -> dict[str, list[Block]]:
    """Items 10 to 14, mostly by reference to the proxy statement."""
    by_reference = (
        "The information this item calls for will appear in our definitive proxy statement under "
        "&#8220;{0}&#8221; and is incorporated here by reference."
    )
    officers = [Row(name, [title]) for name, title in f.company.officers]
    return {
        "10": [
            Para(by_reference.format("Board of Directors")
                 + " Our executive officers on the date of this report were:"),
            Table([[("Position", 1)]], officers, 1),
            Para("We have a code of conduct that applies to every director, officer and employee "
                 "and post it, with any waiver given to an executive officer, on our website."),
        ],
        "11": [Para(by_reference.format("Executive Compensation"))],
        "12": [Para(by_reference.format("Stock Ownership and Equity Plan Information"))],
        "13": [Para(by_reference.format("Related Persons and Director Independence"))],
        "14": [Para(by_reference.format("Audit Fees and Services"))],
    }


def exhibits(f: Filing) -> list[Block]:
    """Item 15: the statement list and the exhibit index."""
    index = [
        ("3.1", "Restated certificate of incorporation"),
        ("3.2", "Amended and restated bylaws"),
        ("4.1", "Description of registered securities"),
        ("10.1", "Equity incentive plan and forms of award"),
        ("10.2", "Credit agreement or indenture, as amended"),
        ("19.1", "Insider trading policy"),
        ("21.1", "Subsidiaries of the registrant"),
        ("23.1", f"Consent of {f.company.auditor}"),
        ("31.1", "Certification of the chief executive officer under Section 302"),
        ("31.2", "Certification of the chief financial officer under Section 302"),
        ("32.1", "Certifications under Section 906 (furnished)"),
        ("97.1", "Policy on recovery of incentive compensation"),
        ("101", "Inline XBRL instance document and taxonomy extension"),
    ]
    return [
        *prose("""
(a)(1) Financial statements: the statements and the auditor&#8217;s report stand in Item 8.
(a)(2) Schedules are left out because they do not apply or the information is in the notes.
(a)(3) Exhibits:
"""),
        Table([[("Description", 1)]], [Row(no, [text]) for no, text in index], 1),
    ]


def signatures(f: Filing) -> list[Block]:
    """The signature page."""
    c = f.company
    day = c.filed[f.year]
    signers = [Row(f"/s/ {name}", [title, day]) for name, title in c.officers[:3]]
    return [
        PageBreak(),
        Para("**SIGNATURES**", "center"),
        Para("Pursuant to Section 13 or 15(d) of the Securities Exchange Act of 1934, the "
             "registrant has duly caused this report to be signed on its behalf by the "
             f"undersigned, thereunto duly authorized, on {day}."),
        Para(f"**{c.name.upper()}**", "right"),
        Para(f"By: /s/ {c.officers[0][0]}, {c.officers[0][1]}", "right"),
        Para("Pursuant to the same Act, this report has been signed below by the following persons "
             "on behalf of the registrant and in the capacities and on the dates shown."),
        Table([[("Capacity", 1), ("Date", 1)]], signers, 2),
    ]


def market(f: Filing, holders: str, text: str, table: Table) -> list[Block]:
    """Item 5, with the issuer's purchases of its stock."""
    c = f.company
    return [
        *prose(f"""
### Market and holders

Our common stock trades on {c.exchange} under the symbol {c.ticker}. As of
{c.outstanding_date[f.year]}, there were {holders} holders of record.

{text}

### Purchases of equity securities in the fourth quarter
"""),
        table,
        Para("(1) Average price excludes commissions and the excise tax on repurchases.", "note"),
    ]


def repurchase_table(f: Filing, months: list[tuple[str, int, float]]) -> Table:
    """Shares bought month by month in the last quarter."""
    rows = [Row(name, [f"{n:,}", f"${price:.2f}"]) for name, n, price in months]
    shares = sum(n for _, n, _ in months)
    mean = sum(n * price for _, n, price in months) / shares
    rows.append(Row("Total", [f"{shares:,}", f"${mean:.2f}"], "total"))
    head = [("Shares purchased", 1), ("Average price per share (1)", 1)]
    return Table([head], rows, 2)
