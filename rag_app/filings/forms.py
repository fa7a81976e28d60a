"""FORM_ITEMS: the Items of each form, one row a form; an amendment uses the row of its form."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from rag_app.errors import FilingError


@dataclass(frozen=True, slots=True)
class FormItem:
    """One Item: its number as the form prints it, its title, and the periods that require it.

    ``key`` is how the project names it: ``7A``; Items of a 10-Q's second part are ``II-1A``,
    since both parts count from 1. ``since`` and ``until`` are years of the period's end; ``rest``
    is how a long title goes on.
    """

    number: str
    title: str
    part: str = ""
    since: int = 0
    until: int = 9999
    required: bool = True
    rest: str = ""

    @property
    def key(self) -> str:
        """``1A``, or ``II-1A`` in a second part that counts anew."""
        return f"{self.part}-{self.number}" if self.part else self.number

    def expected(self, period_end: dt.date) -> bool:
        """Whether a filing for this period has to carry the Item."""
        return self.required and self.since <= period_end.year <= self.until


OPERATIONS = "of Financial Condition and Results of Operations"

ANNUAL = (
    FormItem("1", "Business"),
    FormItem("1A", "Risk Factors", since=2006),
    FormItem("1B", "Unresolved Staff Comments", since=2006),
    FormItem("1C", "Cybersecurity", since=2024),
    FormItem("2", "Properties"),
    FormItem("3", "Legal Proceedings"),
    FormItem("4", "Mine Safety Disclosures"),
    FormItem(
        "5",
        "Market for Registrant's Common Equity",
        rest="Related Stockholder Matters and Issuer Purchases of Equity Securities",
    ),
    FormItem("6", "Selected Financial Data", until=2020),
    FormItem("7", "Management's Discussion and Analysis", rest=OPERATIONS),
    FormItem("7A", "Quantitative and Qualitative Disclosures About Market Risk", since=1998),
    FormItem("8", "Financial Statements and Supplementary Data"),
    FormItem(
        "9",
        "Changes in and Disagreements with Accountants",
        rest="on Accounting and Financial Disclosure",
    ),
    FormItem("9A", "Controls and Procedures", since=2004),
    FormItem("9B", "Other Information", since=2005),
    FormItem(
        "9C", "Disclosure Regarding Foreign Jurisdictions that Prevent Inspections", since=2022
    ),
    FormItem("10", "Directors, Executive Officers and Corporate Governance"),
    FormItem("11", "Executive Compensation"),
    FormItem(
        "12",
        "Security Ownership of Certain Beneficial Owners and Management",
        rest="and Related Stockholder Matters",
    ),
    FormItem(
        "13",
        "Certain Relationships and Related Transactions",
        rest="and Director Independence",
    ),
    FormItem("14", "Principal Accountant Fees and Services"),
    FormItem("15", "Exhibits and Financial Statement Schedules", since=2004),
    FormItem("16", "Form 10-K Summary", required=False),
)

QUARTERLY = (
    FormItem("1", "Financial Statements"),
    FormItem("2", "Management's Discussion and Analysis", rest=OPERATIONS),
    FormItem("3", "Quantitative and Qualitative Disclosures About Market Risk", since=1998),
    FormItem("4", "Controls and Procedures", since=2003),
    FormItem("1", "Legal Proceedings", part="II"),
    FormItem("1A", "Risk Factors", part="II", since=2006),
    FormItem("2", "Unregistered Sales of Equity Securities", part="II"),
    FormItem("3", "Defaults Upon Senior Securities", part="II", required=False),
    FormItem("4", "Mine Safety Disclosures", part="II", required=False),
    FormItem("5", "Other Information", part="II"),
    FormItem("6", "Exhibits", part="II"),
)

SMALL_BUSINESS = (
    FormItem("1", "Description of Business"),
    FormItem("2", "Description of Property"),
    FormItem("3", "Legal Proceedings"),
    FormItem("4", "Submission of Matters to a Vote of Security Holders"),
    FormItem("5", "Market for Common Equity"),
    FormItem("6", "Management's Discussion and Analysis"),
    FormItem("7", "Financial Statements"),
    FormItem("8", "Changes in and Disagreements with Accountants"),
    FormItem("8A", "Controls and Procedures", since=2003),
    FormItem("8B", "Other Information", since=2005, required=False),
    FormItem("9", "Directors and Executive Officers"),
    FormItem("10", "Executive Compensation"),
    FormItem("11", "Security Ownership"),
    FormItem("12", "Certain Relationships and Related Transactions"),
    FormItem("13", "Exhibits"),
    FormItem("14", "Principal Accountant Fees and Services", since=2004),
)

# Form 8-K names what happened; none of its Items is required. Before August 2004 it counted 1-12.
CURRENT = tuple(
    FormItem(number, title, required=False)
    for number, title in (
        ("1.01", "Entry into a Material Definitive Agreement"),
        ("1.02", "Termination of a Material Definitive Agreement"),
        ("1.03", "Bankruptcy or Receivership"),
        ("1.04", "Mine Safety"),
        ("1.05", "Material Cybersecurity Incidents"),
        ("2.01", "Completion of Acquisition or Disposition of Assets"),
        ("2.02", "Results of Operations and Financial Condition"),
        ("2.03", "Creation of a Direct Financial Obligation"),
        ("2.04", "Triggering Events"),
        ("2.05", "Costs Associated with Exit or Disposal Activities"),
        ("2.06", "Material Impairments"),
        ("3.01", "Notice of Delisting"),
        ("3.02", "Unregistered Sales of Equity Securities"),
        ("3.03", "Material Modification to Rights of Security Holders"),
        ("4.01", "Changes in Registrant's Certifying Accountant"),
        ("4.02", "Non-Reliance on Previously Issued Financial Statements"),
        ("5.01", "Changes in Control of Registrant"),
        ("5.02", "Departure or Election of Directors or Officers"),
        ("5.03", "Amendments to Articles of Incorporation or Bylaws"),
        ("5.04", "Temporary Suspension of Trading"),
        ("5.05", "Amendments to the Code of Ethics"),
        ("5.06", "Change in Shell Company Status"),
        ("5.07", "Submission of Matters to a Vote of Security Holders"),
        ("5.08", "Shareholder Director Nominations"),
        ("6.01", "ABS Informational and Computational Material"),
        ("7.01", "Regulation FD Disclosure"),
        ("8.01", "Other Events"),
        ("9.01", "Financial Statements and Exhibits"),
        ("1", "Changes in Control of Registrant"),
        ("2", "Acquisition or Disposition of Assets"),
        ("3", "Bankruptcy or Receivership"),
        ("4", "Changes in Registrant's Certifying Accountant"),
        ("5", "Other Events"),
        ("6", "Resignations of Registrant's Directors"),
        ("7", "Financial Statements and Exhibits"),
        ("8", "Change in Fiscal Year"),
        ("9", "Regulation FD Disclosure"),
        ("10", "Amendments to the Code of Ethics"),
        ("11", "Temporary Suspension of Trading"),
        ("12", "Results of Operations and Financial Condition"),
    )
)

FOREIGN_ANNUAL = tuple(
    FormItem(number, title, since=since)
    for number, title, since in (
        ("1", "Identity of Directors, Senior Management and Advisers", 0),
        ("2", "Offer Statistics and Expected Timetable", 0),
        ("3", "Key Information", 0),
        ("4", "Information on the Company", 0),
        ("4A", "Unresolved Staff Comments", 2006),
        ("5", "Operating and Financial Review and Prospects", 0),
        ("6", "Directors, Senior Management and Employees", 0),
        ("7", "Major Shareholders and Related Party Transactions", 0),
        ("8", "Financial Information", 0),
        ("9", "The Offer and Listing", 0),
        ("10", "Additional Information", 0),
        ("11", "Quantitative and Qualitative Disclosures About Market Risk", 0),
        ("12", "Description of Securities Other than Equity Securities", 0),
        ("13", "Defaults, Dividend Arrearages and Delinquencies", 0),
        ("14", "Material Modifications to the Rights of Security Holders", 0),
        ("15", "Controls and Procedures", 2003),
        ("16", "Reserved", 9999),
        ("16A", "Audit Committee Financial Expert", 2004),
        ("16B", "Code of Ethics", 2004),
        ("16C", "Principal Accountant Fees and Services", 2004),
        ("16D", "Exemptions from the Listing Standards for Audit Committees", 2005),
        ("16E", "Purchases of Equity Securities by the Issuer", 2005),
        ("16F", "Change in Registrant's Certifying Accountant", 2010),
        ("16G", "Corporate Governance", 2009),
        ("16H", "Mine Safety Disclosure", 2012),
        ("16I", "Disclosure Regarding Foreign Jurisdictions that Prevent Inspections", 2022),
        ("16J", "Insider Trading Policies", 2024),
        ("16K", "Cybersecurity", 2024),
        ("17", "Financial Statements", 9999),
        ("18", "Financial Statements", 0),
        ("19", "Exhibits", 0),
    )
)

FORM_ITEMS: dict[str, tuple[FormItem, ...]] = {
    "10-K": ANNUAL,
    "10-K405": ANNUAL,
    "10-KT": ANNUAL,
    "10-KSB": SMALL_BUSINESS,
    "10-Q": QUARTERLY,
    "8-K": CURRENT,
    "20-F": FOREIGN_ANNUAL,
}


def form_items(form: str) -> tuple[FormItem, ...]:
    """The Items of a form, in the order it prints them; ``10-K/A`` reads the row of ``10-K``.

    Raises:
        FilingError: the form has no row; the message lists those that have one.
    """
    base = re.sub(r"/A$", "", form.strip().upper())
    if base not in FORM_ITEMS:
        known = ", ".join(FORM_ITEMS)
        raise FilingError(
            f"Form {form} is not one this project splits into Items; give one of {known} "
            "with --form."
        )
    return FORM_ITEMS[base]
