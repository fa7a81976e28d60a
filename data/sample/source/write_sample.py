"""Rewrites data/sample/filings/*.html from the company modules: python write_sample.py."""

from pathlib import Path
from types import ModuleType

import boilerplate
import brightwater
import larkspur
import tessaline
from filing import Filing
from layout import document
from markup import Block, Heading, PageBreak, Para

FILINGS = Path(__file__).resolve().parent.parent / "filings"
YEARS = (2023, 2024)

PARTS = {
    "PART I": {
        "1": "Business",
        "1A": "Risk Factors",
        "1B": "Unresolved Staff Comments",
        "1C": "Cybersecurity",
        "2": "Properties",
        "3": "Legal Proceedings",
        "4": "Mine Safety Disclosures",
    },
    "PART II": {
        "5": "Market for Registrant&#8217;s Common Equity, Related Stockholder Matters and Issuer "
        "Purchases of Equity Securities",
        "6": "[Reserved]",
        "7": "Management&#8217;s Discussion and Analysis of Financial Condition and Results of "
        "Operations",
        "7A": "Quantitative and Qualitative Disclosures About Market Risk",
        "8": "Financial Statements and Supplementary Data",
        "9": "Changes in and Disagreements With Accountants on Accounting and Financial Disclosure",
        "9A": "Controls and Procedures",
        "9B": "Other Information",
        "9C": "Disclosure Regarding Foreign Jurisdictions That Prevent Inspections",
    },
    "PART III": {
        "10": "Directors, Executive Officers and Corporate Governance",
        "11": "Executive Compensation",
        "12": "Security Ownership of Certain Beneficial Owners and Management and Related "
        "Stockholder Matters",
        "13": "Certain Relationships and Related Transactions, and Director Independence",
        "14": "Principal Accountant Fees and Services",
    },
    "PART IV": {
        "15": "Exhibits and Financial Statement Schedules",
        "16": "Form 10-K Summary",
    },
}


def items(f: Filing, company: ModuleType) -> dict[str, list[Block]]:
    """The blocks of every item: the boilerplate, overridden by the company's own words."""
    return {
        "1B": [Para("None.")],
        "1C": boilerplate.cybersecurity(f),
        "4": [Para("Not applicable.")],
        "6": [Para("Reserved.")],
        "9": [Para("None.")],
        "9A": boilerplate.controls(f),
        "9B": [
            Para(
                f"During the last fiscal quarter of {f.fy(f.year)} no director or officer adopted "
                "or ended a Rule 10b5-1 trading arrangement."
            )
        ],
        "9C": [Para("Not applicable.")],
        **boilerplate.part_three(f),
        "15": boilerplate.exhibits(f),
        "16": [Para("None.")],
        **company.text(f),
    }


def blocks(f: Filing, company: ModuleType) -> list[Block]:
    """The whole filing in order."""
    texts = items(f, company)
    out = boilerplate.cover(f)
    for part, names in PARTS.items():
        out += [PageBreak(), Heading(part, 0, part.lower().replace(" ", "_"))]
        for item, title in names.items():
            if item in ("1A", "7", "8"):
                out.append(PageBreak())
            anchor = f"item_{item.lower()}"
            out += [Heading(f"Item {item}.&#160;&#160;{title}", 1, anchor), *texts[item]]
    return [*out, *boilerplate.signatures(f)]


def build(company: ModuleType, year: int) -> tuple[str, str]:
    """File name and XHTML of one filing."""
    f = Filing(company.COMPANY, year)
    ticker = f.company.ticker
    end = f.company.periods[year][1].replace("-", "")
    hidden = boilerplate.hidden(f)
    html = document(
        f"{ticker.lower()}-{end}", blocks(f, company), f.facts, f.company.scale, hidden
    )
    return f"{ticker}_10-K_FY{year}.html", html


def main() -> None:
    """Writes all six files."""
    FILINGS.mkdir(exist_ok=True)
    for company in (larkspur, brightwater, tessaline):
        for year in YEARS:
            name, html = build(company, year)
            (FILINGS / name).write_text(html, encoding="utf-8", newline="\n")
            print(f"{name}: {len(html):,} characters")


if __name__ == "__main__":
    main()
