"""Rows mapped onto the chunks of ingested filings: question → chunk, as it is served."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from eval.gold import holding_passages, relevant_passages
from eval.rows import QaRow
from eval.splits import company_of
from finetune.shelf import Shelf, open_shelf
from finetune.wrong_chunks import Gap, shows_all, wrong_chunks
from rag_app.chat.figures import numbers_in
from rag_app.errors import DataError
from rag_app.library import Library, StoredFiling


@dataclass(frozen=True, slots=True)
class Served:
    """Rows whose context is a whole chunk as it is embedded, with wrong chunks for each.

    A row's id is the source row's, ``@``, and the chunk's; ``negatives`` maps it to texts, as
    ``build_pairs`` takes them. ``mapped`` says of each company with filings how many of its rows
    found a chunk, and how many it has.
    """

    rows: tuple[QaRow, ...]
    negatives: dict[str, tuple[str, ...]]
    mapped: dict[str, tuple[int, int]]

    def __str__(self) -> str:
        """Rows mapped a company, and in all."""
        found, asked = (sum(counts[at] for counts in self.mapped.values()) for at in (0, 1))
        lines = [f"  {ticker:<8}{n:>6} of {of:>4}" for ticker, (n, of) in self.mapped.items()]
        return "\n".join(
            [
                f"{len(self.rows)} pairs with served chunks; rows whose gold stands in one:",
                *lines,
                f"  {'all':<8}{found:>6} of {asked:>4}",
            ]
        )


def serving_pairs(
    rows: Sequence[QaRow], library: Library, *, count: int = 4, seed: int = 42
) -> Served:
    """Map each row's context onto the chunks of its company's filings that hold it.

    Only filings of the rows' own companies are read, so that training rows bring in no held-out
    company. Of these the one that the row's ``filing`` names (``2023_10K``) comes first; in one of
    another year a chunk must show all figures of the context too. A row without a chunk is left
    out; one that stands in several chunks gives as many pairs.

    A row gets ``count`` negatives (see ``wrong_chunks``), or as many as its filings have.

    Raises:
        DataError: no row names a company that has a filing in the library.
    """
    by_company: dict[str, list[QaRow]] = defaultdict(list)
    for row in rows:
        if row.question.strip() and row.context.strip():
            by_company[company_of(row)].append(row)
    filings: dict[str, list[StoredFiling]] = defaultdict(list)
    for stored in library.filings().values():
        filings[stored.filing.ticker.upper()].append(stored)
    companies = sorted(by_company.keys() & filings.keys() - {""})
    if not companies:
        raise DataError(
            f"No row is about a company with a filing in the library at {library.home}; ingest its "
            "filings with `python -m rag_app ingest`, or name the column with --ticker-column."
        )
    served: list[QaRow] = []
    negatives: dict[str, tuple[str, ...]] = {}
    mapped = {}
    for company in companies:
        asked = by_company[company]
        with open_shelf(library, filings[company]) as shelf:
            golds = _chunks_of_golds(asked, shelf)
            for row in asked:
                for pair, wrong in _pairs_of(row, golds[row.id], shelf, count, seed):
                    served.append(pair)
                    negatives[pair.id] = wrong
        mapped[company] = (sum(bool(golds[row.id][0]) for row in asked), len(asked))
    return Served(tuple(served), negatives, mapped)


def _pairs_of(
    row: QaRow, gold: tuple[list[str], frozenset[str]], shelf: Shelf, count: int, seed: int
) -> Iterator[tuple[QaRow, tuple[str, ...]]]:
    """A row with each chunk that is right for it as its context, and the texts of wrong ones."""
    right, holding = gold
    for chunk_id in right:
        wrong = wrong_chunks(Gap(row, chunk_id, holding), shelf, count, seed)
        pair = replace(row, id=f"{row.id}@{chunk_id}", context=shelf.passages[chunk_id])
        yield pair, tuple(shelf.passages[one] for one in wrong)


def _chunks_of_golds(
    rows: Sequence[QaRow], shelf: Shelf
) -> dict[str, tuple[list[str], frozenset[str]]]:
    """Row id to the right chunks of one filing (none where no filing has any), and to all chunks
    of all filings that hold at least most of its context.
    """
    golds = [(row.id, row.context) for row in rows]
    right, holding = {}, {}
    for key, chunk_ids in shelf.chunk_ids.items():
        texts = {id_: shelf.texts[id_] for id_ in chunk_ids}
        right[key] = relevant_passages(golds, texts)
        holding[key] = holding_passages(golds, texts)
    return {
        row.id: (
            _right_chunks(row, {key: found[row.id] for key, found in right.items()}, shelf),
            frozenset(id_ for found in holding.values() for id_ in found[row.id]),
        )
        for row in rows
    }


def _right_chunks(row: QaRow, found: dict[str, list[str]], shelf: Shelf) -> list[str]:
    """The chunks of the nearest filing that has any; beyond the one named, figures must agree."""
    figures = numbers_in(row.context)
    for key in sorted(found, key=lambda key: _distance(row, shelf.filings[key])):
        held = found[key]
        if _distance(row, shelf.filings[key])[:2] != (False, 0):
            held = [id_ for id_ in held if shows_all(shelf.shown(id_), figures)]
        if held:
            return held
    return []


def _distance(row: QaRow, stored: StoredFiling) -> tuple[bool, int, str]:
    """How far a filing is from the one that a row names: other form, years, then its key."""
    filing = stored.filing
    named = re.match(r"\s*(\d{4})[\s_-]*(.*?)\s*$", row.filing)
    if not named:
        return (False, -filing.fiscal_year, filing.key)
    other_form = _plain(named[2]) != _plain(filing.form) if named[2] else False
    return (other_form, abs(filing.fiscal_year - int(named[1])), filing.key)


def _plain(form: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", form.upper())
