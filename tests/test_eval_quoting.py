"""Quote mode measured: what counts as held, and the way from rows to the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from hashed import HashedEmbedder, small_library

from eval.commands.quotes import as_json, report
from eval.quoting import ALL, FIRST, GOLD, PLACES, SHOWN, Reference, holds, load_references
from eval.quoting import measure_quotes as measure
from rag_app.errors import DataError
from rag_app.index.serving import open_snapshot
from rag_app.settings import load_settings

ROWS = """question,answer,context,ticker,filing
What was revenue in 2023?,It was $41 million.,Revenue was $41 million in 2023.,QPI,2023_10K
What would a shortage of copper do?,"It would raise what we pay for every unit.",x,QPI,2023_10K
Where is the moon?,It is behind the seventh cloud tonight.,x,QPI,2023_10K
,,,QPI,2023_10K
"""
OVERLAP = """row_index,ticker,file,verbatim,shingle4_containment
0,QPI,2023.html,1,1.0
1,QPI,2023.html,1,1.0
2,QPI,2023.html,0,0.0
3,QPI,2023.html,0,0.0
"""


def reference(question: str, answer: str) -> Reference:
    return Reference("0", question, answer, "", "QPI", True)


@pytest.mark.parametrize(
    ("text", "question", "answer", "held"),
    [
        ("Revenue (In millions): 2023 26,974", "Revenue?", "It was $26.97 billion.", True),
        ("Revenue (In millions): 2023 26,974", "Revenue?", "It was $27.97 billion.", False),
        ("It rose to $5 million.", "From $4 million?", "From $4 million to $5 million.", True),
        ("It rose to $5 million.", "To what?", "From $4 million to $5 million.", False),
        ("Copper and zinc are short.", "What is short?", "Copper and zinc.", True),
        ("Copper is short.", "What is short?", "Zinc, tin, lead and copper.", False),
    ],
)
def test_figures_must_all_stand_there_and_half_of_the_words(
    text: str, question: str, answer: str, held: bool
) -> None:
    assert holds(text, reference(question, answer)) is held


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "filings").mkdir()
    (tmp_path / "filings/gold_context_overlap.csv").write_text(OVERLAP, "utf-8")
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, "utf-8")
    return path


def test_rows_to_report(data: Path, tmp_path: Path) -> None:
    references = load_references(str(data))
    assert [each.id for each in references] == ["0", "1", "2"], "a row without answer is left out"
    snapshot = open_snapshot(small_library(tmp_path), HashedEmbedder(), 16)
    asked: list[int] = []
    found = measure(snapshot, load_settings(k=3), references, asked.append)
    assert sum(asked) == 3
    revenue, copper, moon = found
    assert revenue.held[FIRST] and revenue.held[GOLD]
    assert copper.held[ALL] and copper.held[SHOWN] and not copper.held[GOLD]
    assert not any(moon.held.values())
    shares = as_json(found)
    assert shares["all rows"]["rows"] == 3
    assert shares["figures"] == {"rows": 1.0, **dict.fromkeys(PLACES, 1.0)}
    assert shares["words"][ALL] == 0.5
    assert "| all rows | 3 |" in report(found, "hashed at 16 dimensions")


def test_rows_of_no_filing_are_refused(data: Path) -> None:
    assert load_references(str(data), ("NVDA",)) == []
    (data.parent / "filings/gold_context_overlap.csv").unlink()
    with pytest.raises(DataError, match="gold_context_overlap"):
        load_references(str(data))
