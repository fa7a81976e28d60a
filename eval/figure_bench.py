"""Measure the figure check: precision and recall of "supported" over true and false statements."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.figure_statements import Statement, statements_of
from eval.figure_truths import Truth, fact_truths, row_truths
from rag_app.chat.citations import check_figures
from rag_app.filings.chunks import passage_text
from rag_app.library import Library
from rag_app.records import Citation, Figure

DEVELOPED_ON = frozenset(
    {
        *("NVDA", "AAPL", "HD", "KO", "MSFT", "WMT", "FDX", "21344", "40545"),
        *("Microsoft-Corporation", "Commonwealth-Income-Growth-Fund-V"),
    }
)
"""Companies (keys of filings up to the form) that were looked at while the rules were written."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement, the verdicts on its figures, and whether its company was developed on."""

    statement: Statement
    figures: tuple[Figure, ...]
    developed_on: bool

    @property
    def supported(self) -> bool:
        """Whether every figure that it states is shown."""
        enough = len(self.figures) >= self.statement.figures
        return enough and all(figure.found for figure in self.figures)

    @property
    def right(self) -> bool:
        """Whether the check tells true from false."""
        return self.supported == self.statement.true


def check_library(library: Library, count: int, seed: int) -> list[Checked]:
    """``count`` statements a filing, each checked as an answer that cites its passages.

    Raises:
        LibraryError: the library is empty or damaged.
    """
    checked: list[Checked] = []
    for key, stored in library.filings().items():
        chance = random.Random(f"{seed}:{key}")
        checked += _of_filing(library, key, stored.version, count, chance)
    return checked


def _of_filing(
    library: Library, key: str, version: str, count: int, chance: random.Random
) -> Iterator[Checked]:
    chunks = library.chunks(key, version)
    facts = library.facts(key, version)
    rows = [t for node in chunks.values() for t in row_truths(node)]
    told = fact_truths(key, facts, chunks, chance)
    fact_count = count // 4 if told else 0
    tables = [node.node_id for node in chunks.values() if node.metadata["kind"] == "table"]
    developed_on = key.split("_")[0] in DEVELOPED_ON
    parts: Sequence[tuple[Sequence[Truth], int]] = ((rows, count - fact_count), (told, fact_count))
    for truths, share in parts:
        for statement in statements_of(truths, share, chance):
            ids = list(statement.passages)
            if tables and chance.random() < 0.5:
                ids.append(chance.choice([i for i in tables if i not in ids] or tables))
            ids = list(dict.fromkeys(ids))
            chance.shuffle(ids)
            citations = [
                Citation(
                    marker,
                    chunk_id,
                    key,
                    chunks[chunk_id].metadata["item"],
                    passage_text(chunks[chunk_id]),
                )
                for marker, chunk_id in enumerate(ids, start=1)
            ]
            marks = "".join(f"[{citation.marker}]" for citation in citations)
            figures = check_figures(f"{statement.text} {marks}", citations, {key: facts})
            yield Checked(statement, figures, developed_on)


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a set of statements, and precision and recall of both answers."""

    statements: int
    true_supported: int
    true_not: int
    false_supported: int
    false_not: int

    @classmethod
    def of(cls, checked: Sequence[Checked]) -> Score:
        """The score of some statements."""
        pairs = [(c.statement.true, c.supported) for c in checked]
        return cls(
            len(pairs),
            *(pairs.count(p) for p in ((True, True), (True, False))),
            *(pairs.count(p) for p in ((False, True), (False, False))),
        )

    def precision(self, supported: bool) -> float:
        """Of those called so, the share that is so."""
        good = self.true_supported if supported else self.false_not
        bad = self.false_supported if supported else self.true_not
        return good / (good + bad) if good + bad else 1.0

    def recall(self, supported: bool) -> float:
        """Of those that are so, the share called so."""
        good = self.true_supported if supported else self.false_not
        missed = self.true_not if supported else self.false_supported
        return good / (good + missed) if good + missed else 1.0
