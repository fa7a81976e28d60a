"""Companies, form, years → filings on disk, fetched from EDGAR where they are not kept yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag_app.errors import EdgarError, EdgarRefusal
from rag_app.filings.cover import fiscal_year_of
from rag_app.filings.edgar import Edgar, open_edgar
from rag_app.filings.edgar_downloads import Origin, find_download, keep_download, origin_of
from rag_app.filings.edgar_list import needs_exhibit, whole_submission
from rag_app.filings.edgar_wanted import Wanted
from rag_app.filings.forms import form_items


@dataclass(frozen=True, slots=True)
class FetchWatcher:
    """Callbacks for whoever shows progress."""

    on_filing: Callable[[Origin, bool], None] = field(default=lambda origin, fetched: None)
    """A filing is on disk; whether it was fetched now, or kept from before."""
    on_note: Callable[[str], None] = field(default=lambda note: None)
    """A sentence about a wait, or about a year of which there is nothing."""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """The filings on disk, one at least, and by company why it failed."""

    paths: tuple[Path, ...]
    failures: dict[str, EdgarError]


def fetch_filings(
    companies: Sequence[str],
    wanted: Wanted,
    *,
    identity: str,
    home: Path,
    watcher: FetchWatcher = FetchWatcher(),
) -> FetchReport:
    """Bring the wanted filings of each company, named by ticker or CIK, to ``home/downloads``.

    What is there already is not fetched again, so that a run which was killed goes on where it
    was. A company that fails is reported and the others go on. All processes with one ``home``
    together send at most 8 requests a second; after a refusal they wait as EDGAR says, ten
    minutes at least.

    Raises:
        EdgarError: no identity is set, ``home`` cannot be written, or every company failed.
        EdgarRefusal: EDGAR refuses again after the wait; to go on would prolong the block.
        FilingError: the form is not one the project reads.
        LibraryError: the disk is full.
    """
    form_items(wanted.form)
    paths: list[Path] = []
    failures: dict[str, EdgarError] = {}
    with open_edgar(identity, home, watcher.on_note) as edgar:
        for company in companies:
            try:
                paths += _fetch_company(edgar, company, wanted, home / "downloads", watcher)
            except EdgarRefusal:
                raise
            except EdgarError as error:
                failures[company] = error
    if not paths:
        named = [f"{company}: {error}" for company, error in failures.items()]
        raise EdgarError(" ".join(named) if len(named) > 1 else str(*failures.values()))
    return FetchReport(tuple(dict.fromkeys(paths)), failures)


def _fetch_company(
    edgar: Edgar, company: str, wanted: Wanted, folder: Path, watcher: FetchWatcher
) -> list[Path]:
    listed = edgar.filings(company, wanted)
    candidates = [origin for origin in listed if wanted.could_be(origin)]
    if wanted.years is None:
        candidates = candidates[: wanted.latest]
    paths: list[Path] = []
    years: set[int] = set()
    for candidate in candidates:
        path, origin = _on_disk(edgar, candidate, folder, watcher)
        if wanted.is_met_by(origin):
            paths.append(path)
            years.add(wanted.year_of(origin))
    if not paths:
        periods = ", ".join(str(origin.period) for origin in listed[:12])
        older = " and older" if len(listed) > 12 else ""
        raise EdgarError(f"EDGAR has no {wanted} of {company}; periods there: {periods}{older}.")
    if absent := sorted(set(wanted.years or ()) - years):
        named = ", ".join(map(str, absent))
        watcher.on_note(f"EDGAR has no {wanted.form} of {company} for {named}.")
    return paths


def _on_disk(
    edgar: Edgar, listed: Origin, folder: Path, watcher: FetchWatcher
) -> tuple[Path, Origin]:
    """A filing's document and origin, fetched unless they are kept."""
    kept = find_download(folder, listed.accession)
    origin = origin_of(kept) if kept else None
    if kept and origin:
        watcher.on_filing(origin, False)
        return kept, origin
    document = edgar.document(listed.url)
    year = listed.fiscal_year or fiscal_year_of(document, listed.period)
    origin = replace(listed, fiscal_year=year)
    if needs_exhibit(listed, document):
        whole = edgar.document(whole_submission(listed))
        if b"<TYPE>EX-13" in whole:
            origin, document = replace(origin, url=whole_submission(listed)), whole
    path = keep_download(folder, origin, document)
    watcher.on_filing(origin, True)
    return path, origin
