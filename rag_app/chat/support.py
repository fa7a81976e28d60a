"""The part of a cited passage that supports a statement: a sentence of it, or a table's row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag_app.chat.citations import SUPPORT_SHARE, best_support
from rag_app.chat.figures import Number, numbers_in, shows
from rag_app.chat.rows import cells_of, head_count, is_row, table_rows
from rag_app.chat.text import sentences

LEAST_SHARE = 0.3
"""Of a sentence's words that a part must hold that shows its figures. It is less than a passage
must hold, for the passage is cited already, and this only finds the place in it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence in the line at ``line`` of a passage; a table's row is the whole line."""

    line: int
    text: str


def supporting_parts(said: str, lines: Sequence[str], first: int = 0) -> frozenset[Part]:
    """The parts of a passage that support a statement best, and those that show its other figures.

    ``lines`` are the passage as it is shown; those before ``first`` are repeated from elsewhere
    and only give context. It is empty where nothing in the passage comes near the statement.
    """
    candidates = {part: text for part, text in _candidates(lines) if part.line >= first}
    found: list[Part] = []
    for sentence in sentences(said):
        figures = numbers_in(sentence)
        best = _best(sentence, _showing(candidates, figures), LEAST_SHARE)
        found += filter(None, [best or _best(sentence, candidates, SUPPORT_SHARE)])
        for figure in figures:
            if not _showing({part: candidates[part] for part in found}, [figure]):
                showing = _showing(candidates, [figure])
                found += filter(None, [_best(sentence, showing, LEAST_SHARE)])
    return frozenset(found)


def _showing(candidates: Mapping[Part, str], figures: Sequence[Number]) -> dict[Part, str]:
    """The candidates that show all of the figures; all candidates where there are none."""
    return {
        part: text
        for part, text in candidates.items()
        if all(shows(text, figure) for figure in figures)
    }


def _best(sentence: str, candidates: Mapping[Part, str], least_share: float) -> Part | None:
    number = best_support(sentence, list(candidates.values()), least_share)
    return list(candidates)[number - 1] if number else None


def _candidates(lines: Sequence[str]) -> Iterator[tuple[Part, str]]:
    """Each part with the text that it is judged by: a row's has its heads, groups and units."""
    at, above = 0, [""]
    for rows, group in groupby(lines, key=is_row):
        block = list(group)
        if rows:
            yield from _row_candidates(block, at, above)
        else:
            for number, line in enumerate(block, at):
                for sentence in sentences(line):
                    yield Part(number, sentence), sentence
            above = [line for line in block if line.strip()][-2:]
        at += len(block)


def _row_candidates(
    table: Sequence[str], at: int, above: Sequence[str]
) -> Iterator[tuple[Part, str]]:
    heads = table[: head_count([cells_of(line) for line in table])]
    for row in table_rows(table, "\n".join(above)):
        groups = [f"| {group} | |" for group in row.groups]
        line = table[row.line]
        yield Part(at + row.line, line), "\n".join([*above, *heads, *groups, line])
