"""Breaks a filing's blocks into printed pages and writes the whole XHTML document."""

import re

from ixbrl import Facts
from markup import (
    FONT,
    Block,
    Contents,
    Heading,
    PageBreak,
    Para,
    Table,
    render_heading,
    render_para,
    render_table,
)

PAGE_LINES = 56
WORDS_A_LINE = 15
LINK = f"color:#0000ff;{FONT};font-size:8pt;text-decoration:underline"


def _lines(block: Block) -> float:
    """About how many printed lines a block takes."""
    if isinstance(block, Table):
        return 1.15 * (len(block.rows) + len(block.heads)) + 1
    if isinstance(block, Para):
        return len(re.sub("<[^>]+>", "", block.text).split()) // WORDS_A_LINE + 1.7
    return 2.0


def paginate(blocks: list[Block]) -> list[list[Block]]:
    """Splits blocks into pages at explicit breaks and wherever a page is full."""
    pages: list[list[Block]] = [[]]
    used = 0.0
    for i, block in enumerate(blocks):
        if isinstance(block, PageBreak):
            pages.append([])
            used = 0.0
            continue
        need = _lines(block)
        follows = blocks[i + 1] if i + 1 < len(blocks) else block
        keep = need + (_lines(follows) if isinstance(block, Heading) else 0)
        if pages[-1] and used + keep > PAGE_LINES:
            pages.append([])
            used = 0.0
        pages[-1].append(block)
        used += need
    return [page for page in pages if page]


def _contents(pages: list[list[Block]]) -> str:
    """The table of contents: a linked title and a page number for each Part and Item."""
    rows = []
    for number, page in enumerate(pages, 1):
        for block in page:
            if not isinstance(block, Heading) or not block.anchor:
                continue
            item, _, title = block.text.partition("&#160;&#160;")
            cells = [item, title, str(number)] if title else ["", item, ""]
            links = "".join(
                f'<td style="padding:2px 4pt;text-align:{side}"><a style="{LINK}" '
                f'href="#{block.anchor}">{cell}</a></td>'
                for cell, side in zip(cells, ("left", "left", "right"), strict=True)
            )
            rows.append(f"<tr>{links}</tr>")
    return (
        '<div id="toc"></div><div style="text-align:center">'
        '<table style="border-collapse:collapse;width:94%">'
        + "".join(rows)
        + "</table></div>"
    )


def _render(block: Block, pages: list[list[Block]], facts: Facts, scale: int) -> str:
    """The XHTML of one block."""
    if isinstance(block, Contents):
        return _contents(pages)
    if isinstance(block, Table):
        return render_table(block, facts, scale)
    if isinstance(block, Heading):
        return render_heading(block)
    return render_para(block) if isinstance(block, Para) else ""


def document(title: str, blocks: list[Block], facts: Facts, scale: int, hidden: list[str]) -> str:
    """The complete inline-XBRL document."""
    pages = paginate(blocks)
    body = []
    for number, page in enumerate(pages, 1):
        if number > 2:
            body.append(
                f'<div style="min-height:24pt"><a style="{LINK}" href="#toc">Table of Contents'
                "</a></div>"
            )
        body += [_render(block, pages, facts, scale) for block in page]
        body.append(
            '<div style="height:36pt;position:relative;width:100%"><div style="text-align:center">'
            f'<span style="{FONT};font-size:8pt">{number}</span></div></div>'
        )
        if number < len(pages):
            body.append('<hr style="page-break-after:always"/>')
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<!-- Made-up filing of a company that does not exist; see data/sample/README.md -->\n"
        + facts.root()
        + '<head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"/>\n'
        + f"<title>{title}</title></head><body>"
        + facts.header(hidden)
        + "\n".join(body)
        + "</body></html>\n"
    )
