"""What there is: filings, the model in use, indexes with their passports, disk use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag_app.errors import IndexMismatch
from rag_app.index.build import chunks_without_vectors
from rag_app.index.models import ModelSpec, known_models
from rag_app.index.passport import Passport
from rag_app.index.served import served_model
from rag_app.library import Library
from rag_app.sealed import current


def library_status(library: Library, spec: ModelSpec, dim: int) -> dict[str, Any]:
    """The state of the library and its indexes as plain JSON values.

    Raises:
        LibraryError: a filing's record is damaged.
    """
    filings = library.filings()
    return {
        "home": str(library.home),
        "filings": [
            {
                "key": key,
                "company": stored.filing.company,
                "ticker": stored.filing.ticker,
                "form": stored.filing.form,
                "fiscal_year": stored.filing.fiscal_year,
                "period_end": stored.filing.period_end.isoformat(),
                "chunks": stored.chunk_count,
                "items_found": list(stored.health.items_found),
                "items_missing": list(stored.health.items_missing),
                "covered": stored.health.covered,
                "notes": list(stored.health.notes),
            }
            for key, stored in filings.items()
        ],
        "chunks": sum(stored.chunk_count for stored in filings.values()),
        "model": spec.name,
        "fingerprint": spec.fingerprint,
        "dim": dim,
        "dims": list(spec.dims),
        "models": known_models(library.home),
        "served": served_model(library.home),
        "chunks_to_encode": chunks_without_vectors(library, spec),
        "indexes": [_index_status(library, root) for root in sorted(_roots(library))],
        "disk_bytes": {name: _size(library.home / name) for name in ("filings", "index", "models")},
    }


def status_text(status: dict[str, Any]) -> str:
    """``library_status`` as lines for people."""
    lines = [
        f"library    {status['home']}: {len(status['filings'])} filings, {status['chunks']} chunks",
        f"model      {status['model']} ({status['fingerprint']}) at {status['dim']} of "
        f"{', '.join(map(str, status['dims']))}; here are {', '.join(status['models'])}",
        f"served     {status['served']}, where no setting or flag names another",
        "disk       "
        + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in status["disk_bytes"].items()),
    ]
    for filing in status["filings"]:
        missing = filing["items_missing"]
        lines.append(
            f"filing     {filing['key']}: {filing['chunks']} chunks, "
            f"{len(filing['items_found'])} Items"
            + (f", missing {', '.join(missing)}" if missing else "")
        )
    for index in status["indexes"]:
        lines.append(
            f"index      {index['name']}: "
            + (
                index["error"]
                or f"{index['chunks']} chunks, {'current' if index['current'] else 'older'}"
            )
        )
    if status["chunks_to_encode"]:
        lines.append(
            f"to do      {status['chunks_to_encode']} chunks to encode: "
            "run `python -m rag_app index`"
        )
    return "\n".join(lines)


def _roots(library: Library) -> list[Path]:
    return [path for path in (library.home / "index").glob("*") if current(path) is not None]


def _index_status(library: Library, root: Path) -> dict[str, Any]:
    folder = current(root)
    assert folder is not None  # _roots names only those
    try:
        passport = Passport.load(folder)
    except IndexMismatch as error:
        return {"name": root.name, "error": str(error)}
    return {
        "name": root.name,
        "error": "",
        "model": passport.model,
        "fingerprint": passport.fingerprint,
        "dim": passport.dim,
        "chunks": passport.chunk_count,
        "filings": len(passport.filings),
        "current": passport.filings == library.versions(),
        "query_prompt": passport.query_prompt,
        "document_prompt": passport.document_prompt,
        "chunk_ids_sha256": passport.chunk_ids_sha256,
    }


def _size(folder: Path) -> int:
    """Bytes on disk; a file that is linked twice counts once."""
    inodes = {}
    for path in folder.rglob("*"):
        if path.is_file():
            stat = path.stat()
            inodes[stat.st_ino] = stat.st_size
    return sum(inodes.values())
