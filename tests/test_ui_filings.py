"""The filings page over the real sample library: coverage, health as `status` tells it, errors."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from rag_app.__main__ import main
from rag_app.errors import LibraryError
from rag_app.library import Library
from rag_app.records import Filing, Filters
from rag_app.ui import pages, state
from rag_app.ui.coverage import coverage_rows, filing_labels
from rag_app.ui.markdown import written_markdown

LARKSPUR = "LKSP_10-K_2023-12-31"


@pytest.fixture
def home(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample library, which the page only reads."""
    return use(sample_home, monkeypatch)


@pytest.fixture
def mine(home_copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample library, free to be damaged."""
    return use(home_copy, monkeypatch)


def use(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAG_HOME", str(home))
    state.settings.clear()
    state.llm.clear()
    return home


def folder_of(home: Path) -> Path:
    """Found without the library, which remembers what it read of a sealed folder."""
    return next((home / "filings" / LARKSPUR).glob("*/filing.json")).parent


def page() -> AppTest:
    at = AppTest.from_file(str(Path(pages.__file__)), default_timeout=120)
    return drawn(at.switch_page("filings.py"))


def drawn(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def filing(key: str, *, year: int = 2023, end: str = "2023-12-31", **more: str) -> Filing:
    company, form = key.split("_")
    return Filing(company, form, year, dt.date.fromisoformat(end), "0", "x.html", **more)


def test_the_chat_is_the_first_page_and_keeps_its_choices(home: Path) -> None:
    at = drawn(AppTest.from_file(str(Path(pages.__file__)), default_timeout=120))
    assert at.chat_input
    larkspur = "LKSP · Larkspur Instruments, Inc."
    at.sidebar.multiselect[0].set_value([larkspur]).run()
    at.sidebar.multiselect[2].set_value(["2024"]).run()
    at.sidebar.selectbox[1].set_value(64).run()
    assert not drawn(at.switch_page("filings.py")).chat_input
    drawn(at.switch_page("app.py"))
    assert [box.value for box in at.sidebar.multiselect] == [[larkspur], [], ["2024"], [], []]
    assert [box.value for box in at.sidebar.selectbox] == ["minilm", 64]


def test_coverage_is_one_row_a_company(home: Path) -> None:
    at = page()
    assert at.dataframe[0].value.to_dict("records") == [
        {"Company": "Brightwater Grocers Corporation (BRWG)", "2024": "10-K", "2023": "10-K"},
        {"Company": "Larkspur Instruments, Inc. (LKSP)", "2024": "10-K", "2023": "10-K"},
        {"Company": "Tessaline Software, Inc. (TSLT)", "2024": "10-K", "2023": "10-K"},
    ]
    assert any(each.value.startswith("6 filings of 3 companies, ") for each in at.caption)


def test_health_is_what_status_tells(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = page()
    at.selectbox(key="filing").set_value(LARKSPUR).run()
    assert main(["status", "--filing", LARKSPUR, "--json"]) == 0
    health = json.loads(capsys.readouterr().out)
    stored = Library(home).filings()[LARKSPUR]
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown == {
        "Items found": f"{len(stored.health.items_found)} of {len(health['items'])}",
        "Text covered": f"{health['covered']:.2%}",
        "Boilerplate": f"{health['boilerplate']:.2%}",
        "XBRL facts": f"{len(Library(home).facts(LARKSPUR, stored.version)):,}",
    }
    table = at.table[0].value
    assert [
        (row["Item"], row["Title"], row["Characters"], row["Chunks"])
        for row in table.to_dict("records")[:-1]
    ] == [
        (item["item"], written_markdown(item["title"]), item["characters"], item["chunks"])
        for item in health["items"]
    ]
    assert all(
        item["state"] in state for item, state in zip(health["items"], table["State"], strict=False)
    )
    assert ":orange-badge[short]" in set(table["State"])
    outside = health["outside_items"]
    assert table["Characters"].iloc[-1] == outside["characters"]
    assert any("LKSP\\_10\\-K\\_FY2023.html" in each.value for each in at.caption)


def test_a_filing_of_an_older_layout_says_what_to_do(mine: Path) -> None:
    folder = folder_of(mine)
    (folder / "facts.parquet").unlink()
    (folder / "sums.json").unlink()
    record = json.loads((folder / "filing.json").read_text())
    record["health"] |= {
        "covered": None,
        "boilerplate": None,
        "items_missing": ["9C"],
        "notes": ["Item 7 is *odd*.", "Item 8 costs $5 or $6."],
    }
    record["health"]["items_found"].remove("9C")
    (folder / "filing.json").write_text(json.dumps(record))
    at = page()
    at.selectbox(key="filing").set_value(LARKSPUR).run()
    shown = {metric.label: metric.value for metric in at.metric}
    assert (shown["Text covered"], shown["Boilerplate"], shown["XBRL facts"]) == ("–", "–", "–")
    assert any("ingest its file again" in each.value for each in at.info)
    assert "before facts were kept" in at.warning[0].value
    assert at.warning[1].value == "- Item 7 is \\*odd\\*.\n- Item 8 costs \\$5 or \\$6."
    table = at.table[0].value.set_index("Item")
    assert table.loc["9C", "State"] == ":red-badge[missing]"


def test_an_empty_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path / "nothing", monkeypatch)
    with pytest.raises(LibraryError) as sentence:
        Library(tmp_path / "nothing").check_filters(Filters())
    at = page()
    assert at.error[0].value == written_markdown(str(sentence.value))
    assert not at.dataframe
    assert [each.label for each in at.file_uploader] == ["HTML, PDF or text, at most 200 MB each"]


def test_a_damaged_filing_is_one_sentence_under_the_coverage(mine: Path) -> None:
    (folder_of(mine) / "sections.json").write_text("{")
    at = page()
    at.selectbox(key="filing").set_value(LARKSPUR).run()
    assert len(at.dataframe) == 1
    assert len(at.error) == 1
    assert "is damaged" in at.error[0].value
    assert not at.exception


def test_a_fault_of_the_program_shows_no_detail(mine: Path) -> None:
    (folder_of(mine) / "sections.json").write_text('[{"inner": "detail"}]')
    (folder_of(mine) / "sums.json").unlink()
    at = page()
    at.selectbox(key="filing").set_value(LARKSPUR).run()
    assert [error.value for error in at.error] == [pages.FAULT]
    assert not at.exception


def test_forms_of_a_year_are_counted_and_marks_tie_a_company() -> None:
    filings = [
        filing("Facebook_10-K", year=2020, end="2020-12-31", ticker="FB", cik="0001326801"),
        filing("Meta_10-K", ticker="META", cik="1326801"),
        filing("Meta Platforms_10-Q", year=2024, end="2024-03-31", ticker="META"),
        *(filing("Meta_8-K", end=f"2023-0{n}-01", ticker="META", accession=str(n)) for n in "123"),
        filing("Zeta_8-K", end="2023-05-05"),
    ]
    rows = coverage_rows(reversed(filings))
    assert rows == [
        {
            "Company": "Meta Platforms (META)",
            "2024": "10-Q",
            "2023": "10-K, 8-K ×3",
            "2020": "10-K",
        },
        {"Company": "Zeta", "2024": "", "2023": "8-K", "2020": ""},
    ]
    assert list(rows[0]) == ["Company", "2024", "2023", "2020"]


def test_every_filing_has_its_own_name() -> None:
    filings = {
        each.key: each
        for each in [
            filing("Zeta_10-K"),
            filing("Alpha_10-Q", end="2023-03-31"),
            filing("Alpha_10-Q", end="2023-06-30"),
            filing("Alpha_8-K", end="2023-05-05", accession="0-23-1"),
            filing("Alpha_8-K", end="2023-05-05", accession="0-23-2"),
            filing("Alpha_10-K", year=2024, end="2024-12-31"),
        ]
    }
    assert list(filing_labels(filings).values()) == [
        "Alpha · 10-K · fiscal 2024",
        "Alpha · 10-Q · fiscal 2023 · to 2023-06-30",
        "Alpha · 10-Q · fiscal 2023 · to 2023-03-31",
        "Alpha · 8-K · fiscal 2023 · Alpha_8-K_2023-05-05_0-23-1",
        "Alpha · 8-K · fiscal 2023 · Alpha_8-K_2023-05-05_0-23-2",
        "Zeta · 10-K · fiscal 2023",
    ]
