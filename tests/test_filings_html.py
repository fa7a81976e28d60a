"""HTML to blocks: what is visible, in order, with headings by their looks."""

from __future__ import annotations

from rag_app.filings.html import html_blocks, parse_html
from rag_app.records import Block

BOLD = "font-weight:700"


def blocks(body: str) -> list[Block]:
    return html_blocks(parse_html(f"<html><body>{body}</body></html>"))


def texts(body: str) -> list[str]:
    return [block.text for block in blocks(body)]


def test_hidden_facts_stay_out_and_tagged_text_stays_in() -> None:
    assert texts(
        '<div style="display:none"><ix:header><ix:hidden>10-K</ix:hidden></ix:header></div>'
        "<ix:header>secret</ix:header><script>no</script><title>no</title>"
        '<p>Net income was <ix:nonFraction name="us-gaap:NetIncomeLoss">4,368</ix:nonFraction>.</p>'
    ) == ["Net income was 4,368."]


def test_words_split_over_spans_are_not_torn_apart() -> None:
    assert texts("<p><span>Rev</span><span>enue</span> grew<br>fast</p>") == ["Revenue grew fast"]


def test_two_breaks_end_a_paragraph() -> None:
    assert texts("<p>One.<br><br>Two.</p>") == ["One.", "Two."]


def test_old_characters_and_broken_markup() -> None:
    assert texts("<P>It&#146;s <B>here</P><P>There</B>") == ["It’s here", "There"]


def test_headings_have_the_levels_their_looks_say() -> None:
    found = blocks(
        f'<div><span style="font-size:12pt;{BOLD}">Item 7. Discussion</span></div>'
        f'<div><span style="font-size:10pt;{BOLD}">Liquidity</span></div>'
        "<div>We had cash.</div>"
        f'<div><span style="font-size:10pt;{BOLD};font-style:italic">Cash flows</span></div>'
        "<div>They were positive, and <b>large</b>.</div>"
    )
    assert [(block.kind, block.level) for block in found] == [
        ("heading", 1),
        ("heading", 2),
        ("paragraph", 0),
        ("heading", 3),
        ("paragraph", 0),
    ]


def test_units_bullets_dates_and_numbers_are_no_headings() -> None:
    lines = ("(In millions, except per share data)", "• First point", "January 29, 2023", "12")
    for line in lines:
        (block,) = blocks(f"<p><b>{line}</b></p>")
        assert block.kind == "paragraph", line


def test_an_item_heading_in_two_cells_is_one_heading() -> None:
    (block,) = blocks(
        "<table><tr><td><b>Item&nbsp;1A.</b></td><td></td><td><b>Risk Factors</b></td></tr></table>"
    )
    assert (block.kind, block.text) == ("heading", "Item 1A. Risk Factors")


def test_tables_inside_layout_tables_are_read() -> None:
    found = blocks(
        "<table><tr><td><p>Above the figures.</p><table><tr><td></td><td>2023</td></tr>"
        "<tr><td>Cash</td><td>3,389</td></tr></table></td></tr></table>"
    )
    assert [block.kind for block in found] == ["paragraph", "table"]


def test_page_furniture_goes_and_cut_paragraphs_are_whole() -> None:
    page = (
        "<p>Table of Contents</p><p>{1} is the subject of a text that runs on over the page "
        "without any care for</p><p>{0}</p><hr style='page-break-after:always'>"
    )
    subjects = ("Copper", "Lead", "Tin", "Zinc")
    body = "".join(page.format(number, name) for number, name in enumerate(subjects, 1))
    found = texts(body + "<p>the reader, and here it ends.</p>")
    assert "Table of Contents" not in found
    assert not any(text.isdigit() for text in found)
    assert found[-1].endswith("any care for the reader, and here it ends.")


def test_figures_and_units_at_page_edges_are_kept() -> None:
    page = "<p>(In millions)</p><p>Text.</p><p>Total $ {0},000</p>"
    body = "<hr style='page-break-after:always'>".join(page.format(n) for n in range(1, 6))
    found = texts(body)
    assert found.count("(In millions)") == 5
    assert "Total $ 3,000" in found


def test_anchors_name_the_nearest_place() -> None:
    found = blocks('<div id="item7"></div><div>Text.</div><a name="note1"></a><p>More.</p>')
    assert [block.anchor for block in found] == ["item7", "note1"]


def test_an_anchor_before_a_layout_table_is_kept_in_it_and_behind_it() -> None:
    found = blocks(
        '<a name="item1"></a><table><tr><td>•</td><td>We sell copper pipes in Ohio.</td></tr>'
        "</table><p>More follows.</p>"
    )
    assert [block.anchor for block in found] == ["item1", "item1"]


def test_typewriter_tables_inside_html() -> None:
    found = blocks(
        "<p>Sales:</p><pre>              2001      2000\nCopper       1,200     1,100\n"
        "Silver         300       400\n</pre>"
    )
    assert [block.kind for block in found] == ["paragraph", "table"]
    assert found[1].text.split("\n")[1] == "| Copper | 1,200 | 1,100 |"
