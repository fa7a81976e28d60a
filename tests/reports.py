"""Made-up reports, for tests of what is done with reports."""

from __future__ import annotations

from eval.metrics import METRICS, means
from eval.report import Report

GROUPS = {str(number): f"C{number % 4}" for number in range(12)}


def make_report(model: str, gain: float, systems: tuple[str, ...] = ("128", "64")) -> Report:
    """Twelve questions about four companies; every score is a pattern, ``gain`` higher."""
    per_query = {
        system: {
            metric: {query_id: gain + (int(query_id) * 7 + shift) % 10 / 16 for query_id in GROUPS}
            for shift, metric in enumerate(METRICS)
        }
        for system in systems
    }
    return Report(
        model=model,
        fingerprint="0123456789ab",
        protocol="notebook",
        evalset_sha256="f" * 64,
        queries=12,
        corpus=100,
        metrics={system: means(values) for system, values in per_query.items()},
        per_query=per_query,
        groups=GROUPS,
        timings_s={"score": 0.1},
    )
