"""The sample's questions as question-answer rows with an overlap, for the filings protocol."""

from __future__ import annotations

import csv
import json
from pathlib import Path

SAMPLE = Path(__file__).parent.parent / "data/sample"


def write_rows(folder: Path, *, skip: int = 1) -> Path:
    """The sample's questions as rows, with an overlap beside them that says where each stands."""
    lines = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text().splitlines()]
    with (folder / "qa.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("question", "answer", "context", "ticker", "filing"))
        rows.writerows((q["question"], "", q["gold"], q["ticker"], "") for q in lines)
    (folder / "filings").mkdir()
    with (folder / "filings/gold_context_overlap.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("row_index", "ticker", "file", "verbatim", "shingle4_containment"))
        for number, q in enumerate(lines):
            rows.writerow((number, q["ticker"], q["filing"], int(number >= skip), 1.0))
    return folder / "qa.csv"
