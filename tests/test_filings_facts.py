"""Facts of inline XBRL: values, places, the stored file and the command."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from llama_index.core.schema import TextNode

from rag_app.__main__ import main
from rag_app.errors import FactError, FilingError, LibraryError
from rag_app.facts import facts_text, find_facts
from rag_app.filing_files import VECTORS
from rag_app.filings.chunks import CHUNKER_VERSION, make_chunks, token_counter
from rag_app.filings.factfile import FACTS, load_facts, save_facts
from rag_app.filings.facts import read_facts
from rag_app.filings.html import parse_html
from rag_app.filings.read import read_filing
from rag_app.filings.shown import with_chunks
from rag_app.filings.transforms import transform
from rag_app.library import Library
from rag_app.records import Fact, Filters, ParsedFiling
from rag_app.sums import write_sums

HEADER = """<div style="display:none"><ix:header><ix:hidden>
<ix:nonNumeric name="dei:AmendmentFlag" contextRef="y" id="h">false</ix:nonNumeric>
</ix:hidden><ix:resources>
<xbrli:context id="y"><xbrli:entity><xbrli:identifier scheme="cik">0000000042</xbrli:identifier>
</xbrli:entity><xbrli:period><xbrli:startDate>2023-01-01</xbrli:startDate>
<xbrli:endDate>2023-12-31</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="east"><xbrli:entity><xbrli:identifier scheme="cik">0000000042</xbrli:identifier>
<xbrli:segment><xbrldi:explicitMember dimension="x:RegionAxis">x:EastMember</xbrldi:explicitMember>
<xbrldi:typedMember dimension="x:DayAxis"><x:day>2024-01-01</x:day></xbrldi:typedMember>
</xbrli:segment></xbrli:entity><xbrli:period><xbrli:instant>2023-12-31</xbrli:instant>
</xbrli:period></xbrli:context>
<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>
<xbrli:unit id="eps"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure>
</xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure>
</xbrli:unitDenominator></xbrli:divide></xbrli:unit>
</ix:resources></ix:header></div>"""


def facts_of(body: str) -> list[Fact]:
    return list(read_facts(parse_html(f"<body>{HEADER}{body}</body>")).values())


def one(attributes: str, text: str, tag: str = "nonFraction") -> Fact:
    """The one visible fact of a document that has this."""
    given = f'name="x:Thing" contextRef="y" unitRef="usd" {attributes}'
    return facts_of(f"<p><ix:{tag} {given}>{text}</ix:{tag}></p>")[1]


@pytest.mark.parametrize(
    ("attributes", "text", "value"),
    [
        ('scale="6" format="ixt:num-dot-decimal"', "26,974", "26974000000"),
        ('scale="3" sign="-" format="ixt:numdotdecimal"', "1,234.5", "-1234500"),
        ('scale="-2" format="ixt:num-dot-decimal"', "12.50", "0.125"),
        ('scale="0" format="ixt:num-comma-decimal"', "1.234,56", "1234.56"),
        ('scale="6" format="ixt:fixed-zero"', "&#8212;", "0"),
        ('sign="-" format="ixt:zerodash"', "-", "0"),
        ('scale="6" format="ixt-sec:numwordsen"', "one hundred and fifty", "150000000"),
        ("", "0.10", "0.1"),
        ('format="ixt:num-dot-decimal"', "12345678901234567890123456789.01", None),
        ('scale="6" format="ixt:num-dot-decimal"', "<b>1</b>,<i>2</i>34", "1234000000"),
    ],
)
def test_a_number_is_exact_after_format_scale_and_sign(
    attributes: str, text: str, value: str | None
) -> None:
    fact = one(attributes, text)
    assert (fact.value, fact.problem) == (value or text, "")
    assert fact.unit == "USD" and fact.entity == "0000000042"
    assert (fact.period_start, fact.period_end) == (dt.date(2023, 1, 1), dt.date(2023, 12, 31))


@pytest.mark.parametrize(
    ("attributes", "text", "problem"),
    [
        ('format="ixt:num-dot-decimal"', "n/a", "'n/a' is not a number."),
        ('format="ixt:num-klingon"', "12", "The format ixt:num-klingon is not known"),
        ("", "NaN", "'NaN' is not a finite number."),
        ("", "1E999999", "'1E999999' is not a number."),
    ],
)
def test_a_number_that_cannot_be_read_says_why(attributes: str, text: str, problem: str) -> None:
    fact = one(attributes, text)
    assert fact.value == "" and fact.problem.startswith(problem) and fact.printed == text


def test_nil_fraction_dimensions_and_hidden() -> None:
    hidden, nil, part, share = facts_of(
        """<p><ix:nonFraction name="x:A" contextRef="y" unitRef="usd" xsi:nil="true"/> text
        <ix:fraction name="x:B" contextRef="east" unitRef="eps"><ix:numerator>1</ix:numerator> of
        <ix:denominator>3</ix:denominator></ix:fraction>
        <ix:nonFraction name="x:C" contextRef="east" unitRef="eps">-1.5</ix:nonFraction></p>"""
    )
    assert hidden.hidden and (hidden.concept, hidden.value) == ("dei:AmendmentFlag", "false")
    assert nil.nil and (nil.value, nil.printed, nil.problem) == ("", "", "")
    assert (part.value, part.period_start) == ("1/3", None)
    assert share.unit == "USD/shares" and share.period_end == dt.date(2023, 12, 31)
    assert share.dimensions == (("x:DayAxis", "2024-01-01"), ("x:RegionAxis", "x:EastMember"))


def test_a_malformed_context_gives_a_fact_without_period() -> None:
    body = """<ix:resources><xbrli:context id="z"><xbrli:period><xbrli:instant>soon</xbrli:instant>
    </xbrli:period></xbrli:context></ix:resources><p>
    <ix:nonFraction name="x:A" contextRef="z" unitRef="none" scale="x">7</ix:nonFraction></p>"""
    fact = facts_of(body)[1]
    assert (fact.value, fact.period_end, fact.unit, fact.entity) == ("7", None, "", "")


def test_a_text_is_whole_over_its_continuations_without_what_is_excluded() -> None:
    facts = facts_of(
        """<p><ix:nonNumeric name="x:Note" contextRef="y" continuedAt="c1">We sell
        <ix:exclude><span>Page 7</span></ix:exclude> tin.</ix:nonNumeric></p><p>Footer</p>
        <ix:continuation id="c1" continuedAt="c2"><p>And zinc.</p><p>Or lead.</p></ix:continuation>
        <ix:continuation id="c2" continuedAt="c1"><p>The end.</p></ix:continuation>"""
    )
    assert facts[1].value == "We sell tin. And zinc. Or lead. The end."


@pytest.mark.parametrize(
    ("name", "printed", "value"),
    [
        ("ixt:date-monthname-day-year-en", "January\u00a029, 2023", "2023-01-29"),
        ("ixt:datedaymonthyear", "3.4.21", "2021-04-03"),
        ("ixt:date-month-day", "1/25", "--01-25"),
        ("ixt:date-monthname-day-en", "December 31", "--12-31"),
        ("ixt:date-monthname-year-en", "March 2025", "2025-03"),
        ("ixt-sec:duryear", "5.4", "P5Y4M24D"),
        ("ixt-sec:duryear", "0.5", "P6M"),
        ("ixt-sec:durday", "364", "P364D"),
        ("ixt-sec:durday", "1.5", "P1DT12H"),
        ("ixt-sec:durweek", "2.5", "P17D"),
        ("ixt-sec:durhour", "36", "PT36H"),
        ("ixt-sec:durhour", "0", "PT0H"),
        ("ixt-sec:datequarterend", "second quarter of 2023", "2023-06-30"),
        ("ixt-sec:datequarterend", "2023 Q4", "2023-12-31"),
        ("ixt-sec:yesnoballotbox", "☐", "No"),
        ("ixt:dateslashmonthdayus", "1/25", "--01-25"),
        ("ixt:datelongmonthyear", "March 2025", "2025-03"),
        ("ixt-sec:durwordsen", "three\u2011year", "P3Y"),
        ("ixt-sec:durwordsen", "twenty-five years", "P25Y"),
        ("ixt-sec:exchnameen", "The Nasdaq Global Select Market", "NASDAQ"),
        ("ixt-sec:stateprovnameen", "West Virginia", "WV"),
        ("ixt-sec:boolballotbox", "☒", "true"),
        ("ixt:fixed-false", "adopted", "false"),
    ],
)
def test_texts_under_a_format(name: str, printed: str, value: str) -> None:
    assert transform(name, printed) == value


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("ixt:date-month-day", "13/45"),
        ("ixt-sec:durwordsen", "soon"),
        ("ixt-sec:datequarterend", "the quarter of 2023"),
        ("ixt-sec:duryear", "1E99999999"),
        ("ixt-sec:exchnameen", "?"),
    ],
)
def test_a_text_that_is_not_of_its_format_is_refused(name: str, printed: str) -> None:
    with pytest.raises(FilingError, match="is not of the format"):
        transform(name, printed)


def parse_and_cut(path: Path) -> tuple[ParsedFiling, tuple[Fact, ...], dict[str, TextNode]]:
    parsed = read_filing(path, max_bytes=10**8)
    chunks = make_chunks(parsed, token_counter())
    tied = with_chunks(parsed.facts, parsed.sections, chunks)
    return parsed, tied, {node.node_id: node for node in chunks}


def squeezed(text: str) -> str:
    return "".join(text.split()).replace("|", "")


def check_places(parsed: ParsedFiling, facts: tuple[Fact, ...], nodes: dict[str, TextNode]) -> int:
    """Every visible number stands, as printed, at its span and in its chunk; how many do."""
    seen = [fact for fact in facts if fact.numeric and not fact.hidden and not fact.nil]
    for fact in seen:
        printed = squeezed(fact.printed or fact.value)
        assert fact.span, fact
        text = parsed.sections[fact.span.section].text
        assert squeezed(text[fact.span.start : fact.span.end]) == printed
        node = nodes[fact.chunk_id]
        start, end = node.metadata["start"], node.metadata["end"]
        assert start <= fact.span.start < end and text[start:end] == node.text
    assert all(not fact.chunk_id for fact in facts if fact.hidden)
    return len(seen)


def test_each_number_of_a_sample_filing_is_tied_to_its_row(sample_filings: Path) -> None:
    parsed, facts, nodes = parse_and_cut(sample_filings / "TSLT_10-K_FY2023.html")
    assert check_places(parsed, facts, nodes) == 354


@pytest.mark.shared_data
def test_a_real_filing_has_its_totals_and_hand_checked_facts(shared_data: Path) -> None:
    path = shared_data / "filings/NVDA_10-K_FY2023_2023-01-29.html"
    parsed, facts, nodes = parse_and_cut(path)
    assert check_places(parsed, facts, nodes) == 1233
    assert (len(facts), sum(f.hidden for f in facts), sum(f.nil for f in facts)) == (1396, 13, 2)
    assert not [fact for fact in facts if fact.problem]

    def value(concept: str, end: str, *members: str) -> tuple[str, str, str]:
        """Value, unit and the table row that shows it, of a fact of fiscal 2023 or 2022."""
        fact = next(
            f
            for f in facts
            if f.concept == concept
            and str(f.period_end) == end
            and tuple(member for _, member in f.dimensions) == members
        )
        assert fact.span
        text = parsed.sections[fact.span.section].text
        row = text[text.rfind("\n", 0, fact.span.start) + 1 : text.find("\n", fact.span.end)]
        return fact.value, fact.unit, row.split(" | ")[0].strip("| \u00a0")

    first = next(fact for fact in facts if fact.concept == "us-gaap:Revenues")
    assert (str(first.period_start), str(first.period_end)) == ("2022-01-31", "2023-01-29")
    assert value("us-gaap:Revenues", "2023-01-29") == ("26974000000", "USD", "Revenue")
    assert value("us-gaap:EarningsPerShareDiluted", "2023-01-29")[:2] == ("1.74", "USD/shares")
    assert value("us-gaap:NonoperatingIncomeExpense", "2023-01-29")[0] == "-43000000"
    assert value("us-gaap:IncomeTaxExpenseBenefit", "2023-01-29")[0] == "-187000000"
    gaming = value("us-gaap:Revenues", "2023-01-29", "nvda:GamingMember")
    assert gaming == ("9067000000", "USD", "Gaming")
    zero = value("us-gaap:Revenues", "2022-01-30", "us-gaap:CorporateNonSegmentMember")
    assert zero[:2] == ("0", "USD")


def test_facts_are_stored_as_they_are(tmp_path: Path, sample_filings: Path) -> None:
    facts = read_filing(sample_filings / "BRWG_10-K_FY2023.html", max_bytes=10**7).facts
    assert any(fact.dimensions for fact in facts) and any(fact.span for fact in facts)
    save_facts(tmp_path / FACTS, facts)
    assert load_facts(tmp_path / FACTS) == facts
    save_facts(tmp_path / FACTS, ())
    assert load_facts(tmp_path / FACTS) == ()
    (tmp_path / FACTS).write_bytes(b"PAR1")
    with pytest.raises(LibraryError, match=r"is damaged.*run `python -m rag_app ingest --repair`"):
        load_facts(tmp_path / FACTS)


@pytest.fixture
def library(tmp_path: Path, sample_filings: Path) -> Library:
    """Two filings stored without vectors, which facts have no use for."""
    library = Library(tmp_path / "home")
    for name in ("TSLT_10-K_FY2023.html", "BRWG_10-K_FY2023.html"):
        path = sample_filings / name
        parsed = read_filing(path, max_bytes=10**7)
        library.add(parsed, make_chunks(parsed, token_counter()), path, CHUNKER_VERSION)
    return library


def test_the_command_lists_facts_with_chunks_of_the_library(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(library.home))
    asked = ["facts", "--ticker", "TSLT", "--year", "2023", "--concept"]
    assert main([*asked, "assets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["filing"] for row in rows} == {"TSLT_10-K_2023-06-30"}
    stored = library.filings()[rows[0]["filing"]]
    chunk = library.chunks(rows[0]["filing"], stored.version)[rows[0]["chunk_id"]]
    assert rows[0]["concept"] == "us-gaap:Assets" and rows[0]["printed"] in chunk.text
    assert main([*asked, "us-gaap:Assets"]) == 0
    assert f"{int(rows[0]['value']):,} USD · at 2023-" in capsys.readouterr().out
    assert main([*asked, "Asets"]) == 2
    assert "the closest concepts there: Assets" in capsys.readouterr().err
    assert main([*asked, "Nope"]) == 2
    assert "of Nope in TSLT fiscal 2023, and no concept there has a name like it.\n" in (
        capsys.readouterr().err
    )


def test_facts_shown_twice_have_one_line() -> None:
    fact = Fact("x:A", "-1500", True, dt.date(2023, 12, 31), unit="USD", chunk_id="a")
    text = facts_text({"KEY": [fact, replace(fact, chunk_id="b"), replace(fact, value="7")]})
    assert text.split("\n") == [
        "KEY",
        "  x:A · -1,500 USD · at 2023-12-31 · in a and 1 more",
        "  x:A · 7 USD · at 2023-12-31 · in a",
    ]


def test_filings_without_facts_say_what_to_do(library: Library) -> None:
    folders = [stored.folder for stored in library.filings().values()]
    for folder in folders:
        save_facts(folder / FACTS, ())
        write_sums(folder, skip=(VECTORS,))
    with pytest.raises(FactError, match="has inline XBRL facts"):
        find_facts(library, Filters(), "Assets")
    (folders[0] / FACTS).unlink()
    with pytest.raises(LibraryError, match="run `python -m rag_app ingest` on its file again"):
        find_facts(library, Filters(), "Assets")


def test_a_filing_stored_before_facts_were_kept_is_stored_anew(library: Library) -> None:
    filing = library.filings()["TSLT_10-K_2023-06-30"].filing
    assert library.holds(filing, CHUNKER_VERSION)
    root = library.root / filing.key
    older = f"{filing.sha256[:12]}-{CHUNKER_VERSION}"
    (root / library.version_of(filing, CHUNKER_VERSION)).rename(root / older)
    (root / "current").write_text(older)
    assert not library.holds(filing, CHUNKER_VERSION)
