"""The snapshots of the page: shared, opened anew, and let go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny import write_filing

from rag_app.index.collect import collect
from rag_app.index.embedder import Embedder
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.records import CoverFlags
from rag_app.remove import remove_filings
from rag_app.ui import state

KEY, PRODUCT = "QPI_10-K_2021-12-31", b"quillfeathers"


@pytest.fixture
def home(tmp_path: Path, minilm: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of two small filings, which is the page's."""
    home = tmp_path / "home"
    products = {2021: PRODUCT.decode(), 2022: "bolts"}
    paths = [
        write_filing(tmp_path / f"{year}.html", year=year, product=product)
        for year, product in products.items()
    ]
    ingest(paths, Library(home), minilm, 64, max_file_mb=1, flags=CoverFlags(ticker="QPI"))
    monkeypatch.setattr(state, "embedder", lambda model: minilm)
    state.settings.clear()
    state._opened.clear()
    return home


def with_product(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and PRODUCT in path.read_bytes()]


def test_a_deleted_filing_goes_from_the_disk_once_the_chat_asked_again(
    home: Path, minilm: Embedder
) -> None:
    for dim in (64, 128):  # of which the second is asked no more
        state.snapshot("minilm", dim)
    assert with_product(home)
    remove_filings(Library(home), minilm, 64, [KEY])
    assert list(state.snapshot("minilm", 64).passport.filings) == ["QPI_10-K_2022-12-31"]
    collect(Library(home), minilm.spec, state.settings())
    assert not with_product(home)


def test_an_index_that_is_open_answers_while_another_is_opened(home: Path) -> None:
    first = state.snapshot("minilm", 64)
    with ThreadPoolExecutor(1) as session, state._opened().opening:
        assert session.submit(state.snapshot, "minilm", 64).result(timeout=20) is first
