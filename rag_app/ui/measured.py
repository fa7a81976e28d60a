"""What the reports of the home say of a model by dimension: quality, time of a search, size."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import LibraryError

REPORTS, SUMMARY = "reports", "summary.json"
ROW_BYTES, COLLECTION_BYTES = 576, 190_000
"""Of a Chroma collection: beside a row's 4 bytes a coordinate, and once (``docs/sizing.md``)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one model in one report, by dimension; times in milliseconds a query."""

    report: str
    metric: str
    protocol: str
    queries: int
    quality: dict[int, float]
    query_ms: dict[int, float]


def index_bytes(dim: int, chunks: int) -> int:
    """What the collection of a dimension takes on disk."""
    return chunks * (4 * dim + ROW_BYTES) + COLLECTION_BYTES


def measured(home: Path, fingerprint: str) -> Measured | None:
    """The newest report on a model with this fingerprint; None where there is no such report.

    Raises:
        LibraryError: the file of a report is damaged.
    """
    written = [(path.stat().st_mtime_ns, path) for path in (home / REPORTS).glob(f"*/{SUMMARY}")]
    for stamp, path in sorted(written, reverse=True):
        if found := _by_fingerprint(path, stamp).get(fingerprint):
            return found
    return None


@functools.lru_cache(maxsize=64)
def _by_fingerprint(path: Path, stamp: int) -> dict[str, Measured]:
    try:
        record = json.loads(path.read_text("utf-8"))
        return {
            model["fingerprint"]: Measured(
                report=path.parent.name,
                metric=str(record["metric"]),
                protocol=str(record["protocol"]),
                queries=int(record["queries"]),
                quality=_by_dim(model["quality"]),
                query_ms=_by_dim(record["query_ms"]),
            )
            for model in record["models"]
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LibraryError(
            f"{path} cannot be read ({type(error).__name__}); write the report anew with "
            "`python -m eval report`."
        ) from None


def _by_dim(values: dict[str, float]) -> dict[int, float]:
    return {int(dim): float(value) for dim, value in values.items()}


def figures_markdown(found: Measured | None, dims: Sequence[int], chosen: int, chunks: int) -> str:
    """A small table, a line a dimension, the chosen one bold; sizes alone without a report."""
    heads = ["dim", *([found.metric, "ms"] if found else []), "MB"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---:|" * len(heads)]
    for dim in dims:
        cells = [str(dim)]
        if found:
            cells += [_cell(found.quality, dim, 3), _cell(found.query_ms, dim, 2)]
        cells.append(f"{index_bytes(dim, chunks) / 1e6:.1f}")
        shown = [f"**{cell}**" if dim == chosen and cell else cell for cell in cells]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def _cell(values: dict[int, float], dim: int, digits: int) -> str:
    return f"{values[dim]:.{digits}f}" if dim in values else ""
