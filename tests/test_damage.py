"""A byte flipped or lost in any file of an index or the library: found, named, mended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hashed import DIM, SPEC, HashedEmbedder, add, build, small_library

from rag_app.errors import IndexMismatch, LibraryError, RagError
from rag_app.index import wholeness
from rag_app.index.build import index_root
from rag_app.index.serving import open_snapshot
from rag_app.index.snapshot import Snapshot
from rag_app.index.vector_sums import sum_path
from rag_app.index.vectors import load_vectors, save_vectors
from rag_app.index.verify import verify_index
from rag_app.library import Library
from rag_app.repair import repair
from rag_app.sealed import current
from rag_app.sums import damaged_files

MEGABYTE = 1_000_000
KEY = "QPI_10-K_2022-12-31"
Blow = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    small_library(folder)
    return folder


@pytest.fixture
def library(whole: Path, tmp_path: Path) -> Library:
    return Library(Path(shutil.copytree(whole, tmp_path / "copy")) / "home")


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


BLOWS = pytest.mark.parametrize("blow", [flip, cut])


def index_folder(library: Library) -> Path:
    folder = current(index_root(library.home, SPEC, DIM))
    assert folder is not None
    return folder


def filing_folder(library: Library) -> Path:
    return library.folder(KEY, library.versions()[KEY])


def opened(library: Library) -> tuple[Snapshot, list[str]]:
    notes: list[str] = []
    return open_snapshot(library, HashedEmbedder(), DIM, on_note=notes.append), notes


def strike(path: Path, blow: Blow) -> None:
    """Into a new file: other hard links keep their bytes."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(blow(data))


@BLOWS
def test_every_file_of_an_index_is_found_on_open_named_and_built_anew(
    library: Library, blow: Blow
) -> None:
    names = sorted(
        path.relative_to(folder).as_posix()
        for folder in [index_folder(library)]
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size
    )
    kinds = {name.rsplit("/", 1)[-1] for name in names}
    assert kinds >= {"chroma.sqlite3", "data_level0.bin", "vocab.index.json", "passport.json"}
    assert len(names) >= 13
    for kind in sorted(kinds):
        folder = index_folder(library)
        path = next(path for path in folder.rglob("*") if path.name == kind)
        strike(path, blow)
        with pytest.raises(IndexMismatch, match=rf"{kind}|no readable passport"):
            verify_index(library, SPEC, DIM)
        snapshot, notes = opened(library)
        assert len(notes) == 1, kind
        assert str(folder) in notes[0] and kind in notes[0] and "built anew" in notes[0]
        assert snapshot.folder != folder
        assert snapshot.dense.count() == snapshot.passport.chunk_count
        verify_index(library, SPEC, DIM)


def test_a_damaged_pointer_of_an_index_is_no_harm(library: Library) -> None:
    for blow in (flip, cut):
        strike(index_root(library.home, SPEC, DIM) / "current", blow)
        snapshot, _ = opened(library)
        assert snapshot.dense.count() == snapshot.passport.chunk_count


@BLOWS
@pytest.mark.parametrize("name", ["chunks.jsonl", "facts.parquet", "sections.json", "sums.json"])
def test_a_damaged_file_of_a_filing_is_named_and_read_again(
    library: Library, name: str, blow: Blow
) -> None:
    path = filing_folder(library) / name
    before = path.read_bytes()
    strike(path, blow)
    fresh = Library(library.home)
    with pytest.raises(LibraryError, match=rf"{name} is damaged.*run `python -m rag_app ingest"):
        verify_index(fresh, SPEC, DIM)
    if blow is cut or name == "sums.json":
        with pytest.raises(LibraryError, match=r"is damaged"):
            opened(fresh)
    assert [(one.key, one.error) for one in repair(fresh, MEGABYTE)] == [(KEY, "")]
    assert path.read_bytes() == before
    verify_index(fresh, SPEC, DIM)


@BLOWS
def test_a_damaged_record_is_read_again_with_what_flags_said(library: Library, blow: Blow) -> None:
    folder = filing_folder(library)
    strike(folder / "filing.json", blow)
    fresh = Library(Path(shutil.move(library.home, library.home.with_name("moved"))))
    with pytest.raises(LibraryError, match=r"filing\.json is damaged.*ingest --repair"):
        opened(fresh)
    assert [one.error for one in repair(fresh, MEGABYTE)] == [""]
    assert fresh.filings()[KEY].filing.ticker == "QPI", "no file says so, a flag did"
    assert fresh.versions()[KEY] == folder.name
    verify_index(fresh, SPEC, DIM)


@BLOWS
def test_a_damaged_source_is_named_and_mended_by_its_file(library: Library, blow: Blow) -> None:
    folder = filing_folder(library)
    strike(folder / "source.html", blow)
    with pytest.raises(LibraryError, match=r"source\.html is damaged"):
        verify_index(library, SPEC, DIM)
    (one,) = repair(library, MEGABYTE)
    original = library.filings()[KEY].filing.source
    assert one.error.endswith(f"is damaged itself; ingest {original} again.")
    (file,) = add(library, library.home.parent / "sources" / Path(original).name).files
    assert file.outcome == "replaced"
    assert damaged_files(folder, hashed=True) == []
    verify_index(library, SPEC, DIM)


def test_a_damaged_pointer_of_a_filing_is_named_and_set_again(library: Library) -> None:
    pointer = library.root / KEY / "current"
    before = pointer.read_bytes()
    for blow in (flip, cut):
        strike(pointer, blow)
        with pytest.raises(LibraryError, match=r"current is damaged.*ingest --repair"):
            opened(library)
        assert [one.error for one in repair(library, MEGABYTE)] == [""]
        assert pointer.read_bytes() == before
    verify_index(library, SPEC, DIM)


@BLOWS
@pytest.mark.parametrize("which", ["vectors", "their checksum"])
def test_damaged_vectors_are_found_on_open_and_encoded_anew(
    library: Library, blow: Blow, which: str
) -> None:
    path = library.vectors_path(KEY, library.versions()[KEY], SPEC.fingerprint)
    _, before = load_vectors(path)
    strike(path if which == "vectors" else sum_path(path), blow)
    with pytest.raises(LibraryError, match=rf"vectors in .*{KEY}.* are damaged"):
        verify_index(library, SPEC, DIM)
    _, notes = opened(library)
    assert KEY in notes[0] and "damaged" in notes[0]
    assert (load_vectors(path)[1] == before).all()
    verify_index(library, SPEC, DIM)


def test_a_large_index_is_looked_at_by_size_on_open_and_by_bytes_when_verified(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholeness, "HASHED_AT_OPEN", 1000)
    path = next(index_folder(library).rglob("data_level0.bin"))
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    assert opened(library)[1] == []
    with pytest.raises(IndexMismatch, match=r"data_level0\.bin"):
        verify_index(library, SPEC, DIM)
    path.write_bytes(data[:-1])
    assert "data_level0.bin" in opened(library)[1][0]


def test_verify_tells_the_part_that_does_not_fit(library: Library) -> None:
    """Whole files that do not belong together: sums are right, contents are not."""
    path = library.vectors_path(KEY, library.versions()[KEY], SPEC.fingerprint)
    ids, vectors = load_vectors(path)

    def verified_with(ids: list[str], factor: float) -> None:
        save_vectors(path, ids, vectors * factor)
        sum_path(path).unlink(missing_ok=True)
        verify_index(library, SPEC, DIM)

    with pytest.raises(RagError, match="not of unit length"):
        verified_with(ids, 1.1)
    with pytest.raises(RagError, match="of other chunks"):
        verified_with([f"{ids[0]}9", *ids[1:]], 1)
    with pytest.raises(RagError, match="by its own vector"):
        verified_with(ids[::-1], 1)
    build(library, rebuild=True)
    assert (load_vectors(path)[1] == vectors[::1]).all()


def test_filings_stored_before_checksums_were_kept_get_them(library: Library) -> None:
    for path in library.root.glob("*/*/sums.json"):
        path.unlink()
    for path in library.root.glob("*/*/vectors/*.sum.json"):
        path.unlink()
    (index_folder(library) / "sums.json").unlink()
    snapshot, notes = opened(library)
    assert notes == []
    assert len(list(library.root.glob("*/*/sums.json"))) == 3
    assert len(list(library.root.glob("*/*/vectors/*.sum.json"))) == 3
    assert (snapshot.folder / "sums.json").exists()
