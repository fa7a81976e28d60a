"""Reads the golden tables and looks filings' chunks up against them; read by the golden tests."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from rag_app.filings.chunks import make_chunks, passage_text, token_counter
from rag_app.filings.read import read_filing
from rag_app.records import ParsedFiling

GOLDEN = Path(__file__).parent / "golden"
MAX_BYTES = 10**8


def golden_rows(name: str) -> list[dict[str, Any]]:
    """The rows of one golden table."""
    return [json.loads(line) for line in (GOLDEN / name).read_text("utf-8").splitlines()]


@functools.lru_cache(maxsize=40)
def parsed(path: Path) -> ParsedFiling:
    """A filing, read once for all tests."""
    return read_filing(path, max_bytes=MAX_BYTES)


@functools.lru_cache(maxsize=12)
def chunk_passages(path: Path) -> tuple[tuple[str, str], ...]:
    """Text and passage of each chunk in order, at the default model's limit."""
    return tuple((n.text, passage_text(n)) for n in make_chunks(parsed(path), token_counter()))


def letters(text: str) -> str:
    """Letters and digits alone, lower case: what no layout changes."""
    return re.sub(r"[\W_]+", "", text.lower())


def shows(passage: str, figure: dict[str, Any]) -> bool:
    """Whether a passage has the figure in its row and place, its period and its unit."""
    if letters(figure["unit"]) not in letters(passage):
        return False
    above = ""
    for line in passage.split("\n"):
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        figures = [cell.lstrip("$ ") for cell in cells[1:] if re.search(r"\d|^[-—–]$", cell)]
        labelled = letters(cells[0]).startswith(letters(figure["label"]))
        place = figures[figure["nth"] - 1 : figure["nth"]]
        if labelled and place == [figure["value"]] and figure["period"] in above:
            return True
        if line.startswith("|"):  # the prefix names the fiscal year; that is no column header
            above += f"{line}\n"
    return False
