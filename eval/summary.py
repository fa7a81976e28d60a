"""The figures of a report page for programs: quality by dimension, and what a search takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from eval.latency import Latency
from eval.report import Report
from rag_app.sealed import write_whole

FILE, FORMAT = "summary.json", 1


def write_summary(reports: Sequence[Report], metric: str, latency: Latency, out: Path) -> None:
    """Write ``summary.json`` beside the page: the chat shows it where a dimension is chosen.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    last = reports[-1]
    record = {
        "format": FORMAT,
        "metric": metric,
        "protocol": last.protocol,
        "queries": last.queries,
        "passages": last.corpus,
        "query_ms": {str(dim): round(taken, 4) for dim, taken in latency.query_ms.items()},
        "latency": latency.how,
        "models": [
            {
                "model": report.model,
                "fingerprint": report.fingerprint,
                "created": report.created,
                "quality": {
                    name: round(values[metric], 4)
                    for name, values in report.metrics.items()
                    if name.isdigit() and metric in values
                },
            }
            for report in reports
        ],
    }
    write_whole(out / FILE, f"{json.dumps(record, indent=2)}\n".encode())
