"""A small made-up 10-K in HTML, for tests that write to a library of their own."""

from __future__ import annotations

from pathlib import Path

COVER = """<html><body>
<p><b>UNITED STATES SECURITIES AND EXCHANGE COMMISSION</b></p>
<p><b>FORM 10-K</b></p>
<p>ANNUAL REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE SECURITIES EXCHANGE ACT OF 1934</p>
<p>For the fiscal year ended December 31, {year}</p>
<p><b>{company}</b></p>
<p>(Exact name of registrant as specified in its charter)</p>
"""
BODY = """<p><b>Item 1. Business</b></p>
<p>{company} makes {product} and sells them in nine states through its own branches.</p>
<p><b>Item 1A. Risk Factors</b></p>
<p>A shortage of copper would raise what we pay for every unit of {product}.</p>
<p><b>Item 7. Management's Discussion and Analysis of Financial Condition</b></p>
<p>Revenue was ${revenue} million in {year}. The rise came from {product} for hospitals.</p>
<p><b>Item 8. Financial Statements and Supplementary Data</b></p>
<table><tr><td>(in thousands)</td><td>{year}</td></tr>
<tr><td>Revenue</td><td>{revenue},000</td></tr><tr><td>Net income</td><td>1,234</td></tr></table>
</body></html>"""


def write_filing(
    path: Path,
    *,
    company: str = "Quillfeather Pumps, Inc.",
    product: str = "bilge pumps",
    year: int = 2023,
    revenue: int = 41,
) -> Path:
    """Write a filing and return its path."""
    values = {"company": company, "product": product, "year": year, "revenue": revenue}
    path.write_text(COVER.format(**values) + BODY.format(**values), "utf-8")
    return path
