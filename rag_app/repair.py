"""`ingest --repair`: damaged or outdated filings are read again from the library's own copies."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import FilingError, LibraryError
from rag_app.filing_files import CHUNKS, RECORD, filing_of
from rag_app.filings.chunks import CHUNKER_VERSION, make_chunks, token_counter
from rag_app.filings.read import read_filing
from rag_app.library import LAYOUT, Library
from rag_app.records import NO_FLAGS, CoverFlags, Filing
from rag_app.sealed import POINTER, current, points_nowhere, write_whole
from rag_app.sums import file_sum


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of one filing: why it was read again, or the sentence why it could not be."""

    key: str
    why: str
    error: str = ""


def repair(
    library: Library, max_bytes: int, on_repaired: Callable[[Repaired], None] = lambda one: None
) -> list[Repaired]:
    """Read again every filing whose files are damaged or were made by another version of us.

    What was said of a filing by flags is taken over from its record, or where that is damaged
    from its chunks. Hold the writer lock.
    """
    done = []
    for root, why in list(_wanting(library)):
        try:
            _read_again(library, root, max_bytes)
            one = Repaired(root.name, why)
        except (FilingError, LibraryError) as error:
            one = Repaired(root.name, why, str(error))
        done.append(one)
        on_repaired(one)
    return done


def _wanting(library: Library) -> Iterator[tuple[Path, str]]:
    """The roots of filings that need it, with the reason."""
    for root in sorted(library.root.glob("*")):
        folder = current(root)
        if points_nowhere(root):
            yield root, f"{POINTER} is damaged"
        elif folder is not None:
            hurt = library.damage(root.name, folder.name, hashed=True)
            made_by = f"{CHUNKER_VERSION}-{LAYOUT}"
            if hurt:
                yield root, f"{', '.join(hurt)} damaged"
            elif not folder.name.endswith(f"-{made_by}"):
                yield root, f"made by version {folder.name.split('-', 1)[1]}, now {made_by}"


def _read_again(library: Library, root: Path, max_bytes: int) -> None:
    folder = current(root) or _newest(root)
    known = _known(library, folder)
    source = next(iter(sorted(folder.glob("source*"))), folder / "source")
    if not _is_as_given(library, source, known):
        raise LibraryError(
            f"{source}, the library's copy, is damaged itself; ingest "
            f"{known.source if known else 'the filing'} again."
        )
    parsed = read_filing(source, max_bytes=max_bytes, flags=_flags(folder, known))
    filing = known or dataclasses.replace(parsed.filing, source=f"{root.name}{source.suffix}")
    if filing.key != root.name:
        raise LibraryError(
            f"{folder / RECORD} and {CHUNKS} are damaged, and {source.name} does not say what it "
            "is; ingest the filing again from its file."
        )
    parsed = dataclasses.replace(parsed, filing=filing)
    library.add(parsed, make_chunks(parsed, _counter()), source, CHUNKER_VERSION)


def _is_as_given(library: Library, source: Path, known: Filing | None) -> bool:
    if not source.exists():
        return False
    if known:
        return file_sum(source).sha256 == known.sha256
    folder = source.parent
    return source.name not in library.damage(folder.parent.name, folder.name, hashed=True)


def _newest(root: Path) -> Path:
    """The version that a damaged pointer most likely named: the one stored last."""
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    if not folders:
        raise LibraryError(f"{root} holds no version; remove it and ingest the filing again.")
    newest = max(folders, key=lambda path: path.stat().st_mtime_ns)
    write_whole(root / POINTER, f"{newest.name}\n".encode())
    return newest


def _known(library: Library, folder: Path) -> Filing | None:
    """What the record says of the filing; the version's name is its checksum. None: damaged."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
        filing = filing_of(record["filing"])
        named = library.version_of(filing, record["chunker"]).rsplit("-", 1)[0]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return filing if folder.name.startswith(f"{named}-") else None


def _flags(folder: Path, known: Filing | None) -> CoverFlags:
    """What flags may have said of the filing, out of the first chunk that can be read."""
    if known:
        return CoverFlags(known.ticker, known.form, known.fiscal_year, known.period_end)
    try:
        lines = (folder / CHUNKS).read_bytes().splitlines()
        about = json.loads(lines[0])["metadata"]
        period = dt.date.fromisoformat(about["period_end"])
        return CoverFlags(about["ticker"], about["form"], about["fiscal_year"], period)
    except (OSError, IndexError, KeyError, ValueError, TypeError):
        return NO_FLAGS


@functools.cache
def _counter() -> Callable[[Sequence[str]], list[int]]:
    """The tokenizer takes a while to load."""
    return token_counter()
