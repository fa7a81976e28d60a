"""How well a stored filing was read: Items with sizes, the share covered, an unknown key."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_app.errors import LibraryError
from rag_app.health import filing_health, health_text
from rag_app.library import Library


def test_health_lists_items_and_the_share_covered(sample_home: Path) -> None:
    library = Library(sample_home)
    key, stored = next(iter(library.filings().items()))
    health = filing_health(library, key)
    listed = {item["item"]: item for item in health["items"]}
    assert {i for i, item in listed.items() if item["state"] != "missing"} == set(
        stored.health.items_found
    )
    chunks = sum(item["chunks"] for item in health["items"]) + health["outside_items"]["chunks"]
    assert chunks == stored.chunk_count
    assert health["covered"] >= 0.995
    assert f"covered    {health['covered']:.2%}" in health_text(health)


def test_an_unknown_filing_is_refused_with_those_known(sample_home: Path) -> None:
    library = Library(sample_home)
    with pytest.raises(LibraryError, match=next(iter(library.filings()))):
        filing_health(library, "NOPE_10-K_2020-12-31")
