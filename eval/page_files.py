"""The report page as files: self-contained HTML, Markdown, and each chart as PNG and SVG."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path

from eval.charts import DARK, LIGHT, as_png, as_svg
from eval.page import Chart, Section
from rag_app.sealed import write_whole

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --soft: #57606a; --line: #d8dce1;
  --stripe: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --paper: #161b22; --ink: #e6edf3; --soft: #9aa4af;
  --line: #3a424c; --stripe: #1d242d; } }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-top: .9rem;
  border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 50rem; }
img { display: block; max-width: 100%; height: auto; margin: .8rem 0; }
.table { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .55rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
tbody tr:nth-child(even) { background: var(--stripe); }
code { font: .88em ui-monospace, monospace; }
.left { text-align: left; }
"""


def write_page(sections: Sequence[Section], title: str, out: Path) -> Path:
    """Write ``report.html``, ``report.md`` and the charts into ``out``; returns the page's path.

    The page holds its charts, light and dark, and needs no other file, script or network.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    body, markdown = [f"<h1>{html.escape(title)}</h1>"], [f"# {title}"]
    for section in sections:
        body.append(f"<h2>{html.escape(section.title)}</h2>")
        markdown.append(f"## {section.title}")
        for part in section.parts:
            if isinstance(part, Chart):
                body.append(_picture(part, out))
                markdown.append(f"![{part.alt}]({part.name}.png)")
            else:
                body += map(html_block, part.split("\n\n"))
                markdown.append(part)
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
    write_whole(out / "report.md", ("\n\n".join(markdown) + "\n").encode())
    write_whole(out / "report.html", page.encode())
    return out / "report.html"


def html_block(block: str) -> str:
    """A paragraph or a pipe table of Markdown as HTML; everything in it is escaped.

    Only what this project writes is understood: bold, code, and the alignment of columns.
    """
    lines = block.strip().split("\n")
    if not lines[0].startswith("|"):
        return f"<p>{_inline(' '.join(lines))}</p>"
    table = [line for line in lines if line.startswith("|")]
    after = [line for line in lines if not line.startswith("|")]
    rules = _cells(table[1])
    head = _row(_cells(table[0]), rules, "th")
    rows = "\n".join(_row(_cells(line), rules, "td") for line in table[2:])
    told = f"\n<p>{_inline(' '.join(after))}</p>" if after else ""
    return (
        f'<div class="table"><table>\n<thead>\n{head}\n</thead>\n<tbody>\n{rows}\n</tbody>\n'
        f"</table></div>{told}"
    )


def _picture(chart: Chart, out: Path) -> str:
    light = chart.draw(LIGHT)
    pictures = {"light": as_svg(light), "dark": as_svg(chart.draw(DARK))}
    write_whole(out / f"{chart.name}.svg", pictures["light"])
    write_whole(out / f"{chart.name}.png", as_png(light))
    inline = {
        name: f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        for name, svg in pictures.items()
    }
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{inline["dark"]}">'
        f'<img src="{inline["light"]}" alt="{html.escape(chart.alt)}"></picture>'
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _row(cells: Sequence[str], rules: Sequence[str], tag: str) -> str:
    parts = []
    for cell, rule in zip(cells, rules, strict=True):
        side = "" if rule.endswith(":") else ' class="left"'
        parts.append(f"<{tag}{side}>{_inline(cell)}</{tag}>")
    return f"<tr>{''.join(parts)}</tr>"


def _inline(text: str) -> str:
    escaped = html.escape(text.replace("\\|", "|"))
    escaped = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escaped)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escaped)
