"""Made-up FinQA records in the release's own form, for tests of the numeric recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path


def record(
    number: int, *, page: int | None = None, question: str | None = None
) -> dict[str, object]:
    """Even numbers ask for a share, odd ones for thousands of units: the words tell the size."""
    asked = (
        f"what share of sales is unit {number}?" if number % 2 == 0 else f"how many units {number}?"
    )
    answer = 0.01 * number if number % 2 == 0 else 1000.0 * number
    page = number if page is None else page
    return {
        "id": f"QP/{2000 + number}/page_1.pdf-1",
        "pre_text": [f"page {page} ."],
        "post_text": [],
        "table": [["", "units"], [f"row {page}", str(page)]],
        "qa": {
            "question": question or asked,
            "answer": str(answer),
            "exe_ans": answer,
            "program": "",
            "gold_inds": {"text_0": f"page {page} ."},
            "model_input": [["text_0", f"page {page} ."]],
        },
    }


def write_parts(
    folder: Path, *, train: int, dev: int, test: int, more: Sequence[dict[str, object]] = ()
) -> Path:
    """Write ``train.json`` with ``more`` at its end, ``dev.json`` and ``test.json``."""
    first = 0
    for name, count in (("train", train), ("dev", dev), ("test", test)):
        records = [record(number) for number in range(first, first + count)]
        if name == "train":
            records += more
        (folder / f"{name}.json").write_text(json.dumps(records), "utf-8")
        first += count
    return folder
