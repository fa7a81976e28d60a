"""Real filings against golden tables: Items, figures and headers, gold contexts, coverage."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from golden_checks import chunk_passages, golden_rows, letters, parsed, shows

from rag_app.filings.coverage import measure_coverage, visible_lines
from rag_app.records import Section

pytestmark = pytest.mark.shared_data

MIN_ITEMS_RIGHT = 0.98
MIN_COVERED = 0.995
MIN_CONTEXTS = 0.97
GOLD_TICKERS = ("NVDA", "AAPL", "MSFT", "META", "TSLA")
FOOTER = re.compile(r"Apple Inc\. \| 2023 Form 10-K \| \d+")
PART = re.compile(r"part(?:i{1,3}|iv)+(?:(?:other|financial)information)?(?=item)")


def right(sections: list[Section], row: dict[str, Any]) -> bool:
    """Whether an Item has its printed title, and starts and ends where the document has it."""
    if not sections or letters(sections[0].title) != letters(row["title"]):
        return False
    text = PART.sub("", letters(sections[0].text), count=1)
    number = row["item"].removeprefix("II-").lower()
    opens = re.match(rf"items?{number}{re.escape(letters(row['title']))}", text)
    first, last = letters(row["first"]), letters(row["last"])
    starts = opens and text[opens.end() :].startswith(first)
    return bool(starts) and any(letters(s.text).endswith(last) for s in sections)


def test_items_start_and_end_where_the_documents_have_them(shared_data: Path) -> None:
    by_file = defaultdict(list)
    for row in golden_rows("items.jsonl"):
        by_file[row["file"]].append(row)
    wrong, silent = [], []
    for name, rows in by_file.items():
        filing = parsed(shared_data / "filings" / name)
        notes = " ".join(filing.health.notes)
        missing = re.findall(r"[\w-]+", " ".join(re.findall(r"Items not found: (.*?)\.", notes)))
        for row in rows:
            sections = [s for s in filing.sections if s.item == row["item"]]
            if not right(sections, row):
                wrong.append((name, row["item"]))
        invented = set(filing.health.items_found) - {row["item"] for row in rows}
        wrong += [(name, item) for item in sorted(invented)]
        silent += [
            (name, item)
            for file, item in wrong
            if file == name
            and item not in missing
            and not re.search(rf"\bItem {re.escape(item)}\b", notes)
        ]
    total = sum(map(len, by_file.values()))
    assert total > 600
    assert len(wrong) <= (1 - MIN_ITEMS_RIGHT) * total, wrong
    assert silent == [], "wrong, and no note of the filing's health names them"


def test_statement_figures_stand_with_label_period_and_unit(shared_data: Path) -> None:
    figures = golden_rows("figures.jsonl")
    assert len(figures) == 40
    missed = [
        (figure["file"], figure["label"], figure["period"])
        for figure in figures
        if not any(
            shows(passage, figure)
            for _, passage in chunk_passages(shared_data / "filings" / figure["file"])
        )
    ]
    assert missed == []


def test_gold_contexts_lie_in_a_chunk_or_two_neighbours(shared_data: Path) -> None:
    with (shared_data / "financial_qa_10k.csv").open(encoding="utf-8") as file:
        contexts = [row["context"] for row in csv.DictReader(file)]
    with (shared_data / "filings/gold_context_overlap.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["verbatim"] == "1"]
    rows = [row for row in rows if row["ticker"] in GOLD_TICKERS and "FY2023" in row["file"]]
    assert len(rows) > 470
    pairs: dict[str, list[str]] = {}
    whole = without_footer = 0
    for row in rows:
        name = row["file"]
        if name not in pairs:
            texts = [letters(text) for text, _ in chunk_passages(shared_data / "filings" / name)]
            pairs[name] = [a + b for a, b in zip(texts, [*texts[1:], ""], strict=True)]
        context = contexts[int(row["row_index"])]
        gold, clean = letters(context), letters(FOOTER.sub(" ", context))
        found = any(gold in pair for pair in pairs[name])
        whole += found
        without_footer += found or any(clean in pair for pair in pairs[name])
    print(f"{whole} and, page footers aside, {without_footer} of {len(rows)}")
    assert whole >= MIN_CONTEXTS * len(rows)
    assert without_footer >= 0.99 * len(rows)


@pytest.mark.parametrize(
    "name",
    [
        "NVDA_10-K_FY2024_2024-01-28.html",
        "INTC_10-K_FY2002_2002-12-28.html",
        "AAPL_10-K_FY2023_2023-09-30.pdf",
        "KO_10-K_FY1997_1997-12-31.txt",
        "NVDA_10-Q_2025-07-27.html",
        "AAMES_8-K_1998-12-15.txt",
    ],
)
def test_no_visible_text_is_lost(shared_data: Path, name: str) -> None:
    path = shared_data / "filings" / name
    sections = parsed(path).sections
    coverage = measure_coverage(visible_lines(path.read_bytes(), sections), sections)
    assert coverage.share >= MIN_COVERED
    assert coverage.boilerplate <= 0.03 * coverage.visible


def test_a_lost_paragraph_is_seen() -> None:
    lines = ["Item 1. Business", "We sell sensors to refineries.", "12", "Cash was ample indeed."]
    whole = measure_coverage(lines, [Section("1", "Business", ())])
    assert whole.share < 0.5
    assert whole.boilerplate >= len("12")
