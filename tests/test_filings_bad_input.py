"""Hostile and broken files: one sentence each, in little time, and nothing half stored."""

from __future__ import annotations

import gzip
import io
import os
import signal
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import FrameType

import pytest
from tiny import BODY, COVER, write_filing

from rag_app.__main__ import main
from rag_app.errors import FilingError
from rag_app.filings.batch import ReadFile, RefusedFile, read_files
from rag_app.filings.read import read_filing
from rag_app.index.embedder import Embedder
from rag_app.ingest import FileOutcome, IngestReport, IngestWatcher, find_files, ingest
from rag_app.library import Library
from rag_app.progress import describe
from rag_app.records import ParsedFiling

TIME_LIMIT_S = 60
MB = 1_000_000
VALUES = {"company": "Quillfeather Pumps, Inc.", "product": "bilge pumps", "year": 2023}
FILING = COVER.format(**VALUES) + BODY.format(revenue=41, **VALUES)
HEAD, TAIL = FILING.split("</body>")
DEEP = 50_000


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """Whatever hangs is a failure here, not a test run that never ends."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {TIME_LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(TIME_LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("filing.htm", b" " * 50 * MB)
    return buffer.getvalue()


def pdf(*objects: str, trailer: str = "") -> bytes:
    """A PDF of these objects, the first its catalog."""
    out = "%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return (
        f"{out}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer}>>\n"
        f"startxref\n{len(out)}\n%%EOF\n"
    ).encode("latin-1")


PDF_PAGES = (
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
)
LOCKED = f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{'a7' * 32}> /U <{'5c' * 32}> >>"
ENCRYPTED_PDF = pdf(
    *PDF_PAGES, LOCKED, trailer=f"/Encrypt 4 0 R /ID [<{'ab' * 16}> <{'ab' * 16}>] "
)
SCANNED_PDF = pdf(*PDF_PAGES)
LOST_PAGE_PDF = pdf(*PDF_PAGES[:2], "<< /Type /Catalog >>")
SGML_HEADER = """<SEC-DOCUMENT>0000012345-98-000001.txt : 19981215
<SEC-HEADER>0000012345-98-000001.hdr.sgml : 19981215
CONFORMED SUBMISSION TYPE:\t10-K
COMPANY CONFORMED NAME:\tQUILLFEATHER PUMPS INC
CONFORMED PERIOD OF REPORT:\t19971231
</SEC-HEADER>
</SEC-DOCUMENT>
"""

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \t\n", "is empty"),
    "nothing but NUL bytes": (bytes(5000), "is not HTML, text or PDF"),
    "a zip bomb": (zipped(), "is not HTML, text or PDF"),
    "a gzip bomb": (gzip.compress(bytes(50 * MB)), "is not HTML, text or PDF"),
    "utf-32": (FILING.encode("utf-32"), "is not HTML, text or PDF"),
    "deep blocks": (f"{HEAD}{'<div>' * DEEP}x{TAIL}".encode(), "nests its elements too deeply"),
    "deep tables": (f"{HEAD}{'<table><tr><td>' * DEEP}x".encode(), "nests its elements too deeply"),
    "deep inline": (f"{HEAD}<p>{'<b>' * DEEP}x".encode(), "nests its elements too deeply"),
    "deep exhibit": (
        f"<DOCUMENT>\n<TYPE>10-K\n<TEXT>{FILING}</TEXT>\n</DOCUMENT>\n<DOCUMENT>\n<TYPE>EX-13\n"
        f"<TEXT><html>{'<i>' * DEEP}x</TEXT>\n</DOCUMENT>".encode(),
        "nests its elements too deeply",
    ),
    "SGML without documents": (SGML_HEADER.encode(), "without documents"),
    "SGML with an empty document": (
        b"<DOCUMENT>\n<TYPE>10-K\n<TEXT>\n</TEXT>\n</DOCUMENT>",
        "no visible text",
    ),
    "encrypted PDF": (ENCRYPTED_PDF, "is encrypted"),
    "scanned PDF": (SCANNED_PDF, "no text layer"),
    "truncated PDF": (SCANNED_PDF[:60], "damaged PDF"),
    "PDF whose page is none": (LOST_PAGE_PDF, "damaged PDF"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence_and_nothing_is_stored(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, says = REFUSED[name]
    path = tmp_path / "filing.htm"
    path.write_bytes(content)
    assert main(["ingest", str(path)]) == 2
    out, err = capsys.readouterr()
    refusal = next(line for line in out.splitlines() if line.startswith("refused"))
    assert str(path) in refusal
    assert says in refusal
    assert refusal.endswith(".")
    assert "Traceback" not in err
    assert not Library(tmp_path / "home").filings()
    assert not list((tmp_path / "home").rglob("*.part"))


def text_of(parsed: ParsedFiling) -> str:
    return "\n\n".join(section.text for section in parsed.sections)


def read(tmp_path: Path, content: str | bytes) -> ParsedFiling:
    path = tmp_path / "filing.htm"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_filing(path, max_bytes=10 * MB)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("declared", ["", "utf-8", "iso-8859-1", "utf-16"])
def test_the_charset_is_seen_and_not_believed(encoding: str, declared: str, tmp_path: Path) -> None:
    words = "Café sales rose – the company’s best year"
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">'
    xml = f'<?xml version="1.0" encoding="{declared}"?>'
    markup = HEAD.replace("<html>", f"{xml}<html><head>{meta}</head>" if declared else "<html>")
    parsed = read(tmp_path, f"{markup}<p>{words}</p>{TAIL}".encode(encoding))
    assert words in text_of(parsed)
    assert parsed.filing.company == "Quillfeather Pumps, Inc."


def test_nesting_that_the_parser_bears_loses_no_word(tmp_path: Path) -> None:
    deep = "".join(f"<div><span>word{n} " for n in range(900))
    text = text_of(read(tmp_path, f"{HEAD}{deep}<script>alert(1)</script>{TAIL}"))
    assert [f"word{n}" for n in range(900) if f"word{n}" not in text.split()] == []
    assert "alert" not in text


def test_a_table_of_endless_spans_takes_no_endless_time(tmp_path: Path) -> None:
    row = f"<tr>{'<td colspan=200 rowspan=60000>5</td>' * 300}</tr>"
    text = text_of(read(tmp_path, f"{HEAD}<table>{row * 50}</table>{TAIL}"))
    assert text.split().count("5") == 300 * 50


def test_entity_bombs_do_not_go_off(tmp_path: Path) -> None:
    """XML entities in XHTML: nine levels of ten make 10^9 words where they are expanded."""
    names = "abcdefghij"
    entities = '<!ENTITY a "lol ">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise(names)
    )
    outside = '<!ENTITY passwords SYSTEM "file:///etc/passwd">'
    doctype = f'<?xml version="1.0"?><!DOCTYPE html [{entities}{outside}]>'
    text = text_of(read(tmp_path, f"{doctype}{HEAD}<p>&j; &passwords;</p>{TAIL}"))
    assert "lol" not in text
    assert "root:" not in text
    assert len(text) < 3 * len(FILING)


def test_scripts_and_event_attributes_are_never_stored(tmp_path: Path) -> None:
    nasty = (
        '<script>alert(1)</script><p onclick="alert(2)">Pumps <img src=x onerror=alert(3)> sold'
        '<svg onload=alert(4)><script>alert(5)</script></svg><iframe srcdoc="alert(6)"></iframe>'
        '<a href="javascript:alert(7)">well</a><style>p{x:alert(8)}</style></p>'
        "<!-- alert(9) --><noscript>alert(10)</noscript><object data='alert(11)'></object>"
    )
    parsed = read(tmp_path, f"{HEAD}{nasty}{TAIL}")
    text = text_of(parsed)
    assert "alert" not in text
    assert "Pumps sold" in " ".join(text.split())
    assert "well" in text
    assert not any("alert" in repr(block) for s in parsed.sections for block in s.blocks)


def test_script_in_a_plain_text_filing_is_not_stored(tmp_path: Path) -> None:
    lines = "FORM 10-K\nFor the fiscal year ended December 31, 1997\n\nQUILLFEATHER PUMPS INC\n\n"
    name = "(Exact name of registrant as specified in its charter)\n\n"
    nasty = "<SCRIPT type=x>alert(1)</script><img src=x onerror=alert(2)>\n"
    text = text_of(read(tmp_path, f"{lines}{name}Pumps sold well.\n\n{nasty}"))
    assert "Pumps sold well." in text
    assert "<" not in text


def test_stray_control_characters_are_dropped(tmp_path: Path) -> None:
    parsed = read(tmp_path, f"{HEAD}<p>bilge\0 pumps &#1;and&#31; valves\x07</p>{TAIL}")
    assert "bilge pumps and valves" in text_of(parsed)


def test_a_truncated_filing_is_read_and_said_to_be(tmp_path: Path) -> None:
    whole = read(tmp_path, FILING)
    cut = read(tmp_path, FILING[: FILING.index("Item 8")])
    said = "The file breaks off before its end; download it again."
    assert said in cut.health.notes
    assert said not in whole.health.notes
    assert "8" in cut.health.items_missing


def test_a_200_mb_file_is_refused_by_the_setting_before_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "filing.htm"
    with path.open("wb") as file:
        file.write(FILING.encode())
        file.truncate(201 * MB)
    assert main(["ingest", str(path)]) == 2
    assert "201 MB, more than the 200 MB allowed; raise max_file_mb" in capsys.readouterr().out
    with path.open("wb") as file:
        file.truncate(10**13)  # ten sparse terabytes: whoever reads them does not come back
    assert main(["ingest", str(path)]) == 2


def test_links_out_of_a_folder_are_not_followed_but_named_ones_are(tmp_path: Path) -> None:
    outside = write_filing(tmp_path / "outside.html")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_filing(elsewhere / "other.html")
    folder = tmp_path / "folder"
    folder.mkdir()
    inside = write_filing(folder / "inside.html")
    (folder / "link.html").symlink_to(outside)
    (folder / "more.html").symlink_to(elsewhere)
    (folder / "near.html").symlink_to("inside.html")
    (folder / "gone.html").symlink_to("nowhere.html")
    (folder / "loop.html").symlink_to("loop.html")
    skipped: list[Path] = []
    assert find_files([folder], skipped.append) == [inside, folder / "near.html"]
    assert skipped == [folder / "link.html"], "more.html, gone.html and loop.html are no files"
    said = describe(IngestReport((), 0, 0, 0.0, tuple(skipped))).split("\n")[1]
    assert said.startswith("Skipped 1 link that points out of its folder: link.html; name the")
    assert find_files([folder / "link.html"]) == [folder / "link.html"]
    assert read_filing(folder / "link.html", max_bytes=MB).filing.company.startswith("Quillfeather")
    only = tmp_path / "only"
    only.mkdir()
    (only / "link.html").symlink_to(outside)
    with pytest.raises(FilingError, match="holds no filing"):
        find_files([only])


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    """A pipe would be waited for without end, a folder may be named like a file."""
    pipe = tmp_path / "pipe.html"
    os.mkfifo(pipe)
    with pytest.raises(FilingError, match="not a regular file"):
        read_filing(pipe, max_bytes=MB)
    with pytest.raises(FilingError, match="not a regular file"):
        read_filing(Path("/dev/zero"), max_bytes=MB)
    folder = tmp_path / "folder.html"
    folder.mkdir()
    with pytest.raises(FilingError, match="holds no filing"):
        find_files([folder])
    with pytest.raises(FilingError, match="cannot be read"):
        find_files([tmp_path / ("x" * 300)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    path = write_filing(tmp_path / "secret.html")
    path.chmod(0)
    with pytest.raises(FilingError, match="Permission denied"):
        read_filing(path, max_bytes=MB)


def test_a_file_that_vanishes_before_it_is_read(tmp_path: Path) -> None:
    first, second = write_filing(tmp_path / "a.html"), write_filing(tmp_path / "b.html", year=2022)
    files = read_files([first, second], lambda path: read_filing(path, max_bytes=MB), 1)
    assert isinstance(next(files), ReadFile)
    second.unlink()
    gone = next(files)
    assert isinstance(gone, RefusedFile)
    assert "No such file" in gone.error


def test_a_file_that_changes_or_vanishes_while_it_is_read_is_not_stored(
    tmp_path: Path, minilm: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rag_app.ingest as write_path

    fickle = write_filing(tmp_path / "b.html", year=2022)
    fleeting = write_filing(tmp_path / "c.html", year=2021)

    def read_and_change(path: Path, **options: object) -> ParsedFiling:
        parsed = read_filing(path, **options)  # type: ignore[arg-type]
        if path == fickle:
            path.write_text("other bytes")
        elif path == fleeting:
            path.unlink()
        return parsed

    monkeypatch.setattr(write_path, "read_fetched", read_and_change)
    seen: list[FileOutcome] = []
    library = Library(tmp_path / "home")
    report = ingest(
        [fickle, fleeting],
        library,
        minilm,
        64,
        max_file_mb=1,
        watcher=IngestWatcher(on_file=seen.append),
    )
    assert [file.outcome for file in report.files] == ["refused", "refused"]
    assert all("changed or vanished" in file.error for file in report.refused)
    assert seen == list(report.files)
    assert not library.filings()
    assert not list(library.home.rglob("*.part"))


@pytest.mark.parametrize(
    "name", ["two\nlines.html", "..\\..\\x.html", "\x1b[31mred.html", b"\xff\xfe.html"]
)
def test_names_are_one_line_wherever_they_are_shown_or_stored(
    name: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / os.fsdecode(name)
    path.write_text(FILING)
    assert main(["ingest", str(path)]) == 0
    library = Library(tmp_path / "home")
    (stored,) = library.filings().values()
    assert stored.filing.source.isprintable()
    path.write_text("")
    assert main(["ingest", str(path), str(folder / "..") + "/in"]) == 2
    refusals = [s for s in capsys.readouterr().out.splitlines() if s.startswith("refused")]
    assert len(refusals) == 2
    assert all("is empty" in line and line.isprintable() for line in refusals)
    kept = {file.relative_to(stored.folder).parts[0] for file in stored.folder.rglob("*")}
    assert "source.html" in kept
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "in"], "nothing lies outside"
