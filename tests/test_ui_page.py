"""The chat page over the real sample library: answers, filters, follow-ups, plain errors."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from llm_standin import StandIn, llm_standin
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Expander
from tiny import write_filing

from rag_app.errors import LibraryError, ModelError
from rag_app.index.embedder import Embedder
from rag_app.index.vectors import load_vectors
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.records import Filters
from rag_app.ui import app, state

BACKLOG = "What was Larkspur's order backlog at the end of 2023?"
LARKSPUR = "LKSP · Larkspur Instruments, Inc."


@pytest.fixture(scope="module")
def chat_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the sample library for all pages: a dimension's index stays for the next."""
    return Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("chat") / "home"))


@pytest.fixture
def home(chat_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's library, and no setting of the page before."""
    monkeypatch.setenv("RAG_HOME", str(chat_home))
    state.settings.clear()
    state.llm.clear()
    return chat_home


def page() -> AppTest:
    return AppTest.from_file(str(Path(app.__file__)), default_timeout=120).run()


def ask(at: AppTest, question: str) -> AppTest:
    at.chat_input[0].set_value(question).run()
    assert not at.exception
    return at


def sources(at: AppTest, number: int = 1) -> Expander:
    """The sources of an answer, opened: what is in them is drawn then."""
    at.session_state[f"sources-{number}"] = True
    return at.run().chat_message[2 * number - 1].expander[0]


def texts(at: AppTest) -> str:
    return "\n".join(element.value for element in [*at.markdown, *at.caption])


def test_the_filters_come_from_the_library(home: Path) -> None:
    at = page()
    company, form, year, period, item = at.sidebar.multiselect
    model, dim = at.sidebar.selectbox
    assert [option.split(" ")[0] for option in company.options] == ["BRWG", "LKSP", "TSLT"]
    assert form.options == ["10-K"]
    assert year.options == ["2024", "2023"]
    assert "2024-12-31" in period.options
    assert item.options[:5] == ["1", "1A", "1B", "1C", "2"]
    assert model.options == ["minilm (base)", "filings-minilm (tuned)"]
    assert dim.options == ["384", "256", "128", "64"]
    assert "6 filings of 3 companies" in texts(at)


def test_an_answer_shows_its_citations_and_its_sources(home: Path) -> None:
    at = ask(page(), BACKLOG)
    answer = next(m.value for m in at.chat_message[1].markdown if m.value.startswith("- "))
    assert "\\$94.6 million at December 31, 2023, against \\$103.9 million" in answer
    assert '[\\[1\\]](#passage-1-1 "Show passage 1")' in answer
    assert not at.chat_message[1].expander[0].markdown, "drawn when opened"
    shown = sources(at)
    assert shown.label.endswith("cited of 5 found")
    title = shown.markdown[0].value
    assert title == "**\\[1\\] Larkspur Instruments, Inc. 10\\-K fiscal 2023, Item 1**"
    assert "score " in shown.caption[0].value
    lit = shown.markdown[1].value.partition(":yellow-background[**")[2].partition("**]")[0]
    assert "\\$94.6 million" in lit
    assert "figures found in the cited passages · minilm at 384 dimensions · no LLM" in texts(at)


def test_filters_narrow_one_another_and_the_search(home: Path) -> None:
    at = page()
    at.sidebar.multiselect[0].set_value([LARKSPUR]).run()
    assert at.sidebar.multiselect[3].options == ["2024-12-31", "2023-12-31"]
    at.sidebar.multiselect[2].set_value(["2024"]).run()
    at.sidebar.multiselect[4].set_value(["1", "7"]).run()
    ask(at, "What was order backlog?")
    assert "Asked of LKSP fiscal 2024 Item 1 and 7" in texts(at)
    titles = [m.value for m in sources(at).markdown if m.value.startswith("**")]
    assert len(titles) == 5
    assert all("Larkspur Instruments, Inc. 10\\-K fiscal 2024" in title for title in titles)


def test_a_filter_that_the_question_sets_is_shown_and_undone(home: Path) -> None:
    at = ask(page(), BACKLOG)
    assert at.chat_message[1].caption[0].value == (
        "Asked of LKSP fiscal 2023 \\(from the question\\)"
    )
    at.button(key="unfiltered-1").click().run()
    assert at.chat_message[2].markdown[0].value == BACKLOG
    assert "from the question" not in at.chat_message[3].caption[0].value
    assert len(at.chat_message) == 4
    assert not [b for b in at.main.button if b.label == "Search without this filter"]


def test_questions_set_no_filter_once_that_is_off(home: Path) -> None:
    at = page()
    at.sidebar.checkbox[0].uncheck().run()
    ask(at, BACKLOG)
    assert "from the question" not in texts(at)


def test_what_the_sidebar_chooses_wins_and_what_lacks_is_said(home: Path) -> None:
    at = page()
    at.sidebar.multiselect[0].set_value([LARKSPUR]).run()
    ask(at, "What was Tessaline's revenue in 2019?")
    captions = [caption.value.replace("\\", "") for caption in at.chat_message[1].caption]
    assert captions[0] == "Asked of LKSP"
    assert "The question names TSLT; the filter that you set keeps to LKSP." in captions
    assert any("no FY2019 10-K of LKSP" in caption for caption in captions)


def test_two_years_are_compared_side_by_side(home: Path) -> None:
    at = ask(page(), "How did Larkspur's order backlog change from 2023 to 2024?")
    titles = [m.value for m in sources(at).markdown if m.value.startswith("**")]
    assert sorted(title.count("fiscal 2023") for title in titles)[:2] == [0, 0]
    assert sum(title.count("fiscal 2023") for title in titles) >= 2


def test_another_dimension_answers_from_another_index_without_encoding(home: Path) -> None:
    assert not list((home / "index").glob("minilm-*-64"))
    stamps = {p: p.stat().st_mtime_ns for p in (home / "filings").rglob("*.safetensors")}
    at = page()
    at.sidebar.selectbox[1].set_value(64).run()
    ask(at, BACKLOG)
    assert "minilm at 64 dimensions" in texts(at)
    assert "94.6 million" in texts(at)
    assert list((home / "index").glob("minilm-*-64"))
    assert stamps == {p: p.stat().st_mtime_ns for p in (home / "filings").rglob("*.safetensors")}


def test_a_follow_up_says_what_it_searched_for(home: Path) -> None:
    at = ask(ask(page(), BACKLOG), "and in 2024?")
    assert at.chat_message[3].caption[0].value == (
        "Asked of LKSP fiscal 2024 \\(from the question\\) · "
        f"Searched for: {BACKLOG.replace('2023', '2024')}"
    )
    assert "88.1 million" in texts(at)


def test_what_was_searched_for_can_be_edited(home: Path) -> None:
    at = ask(ask(page(), BACKLOG), "and in 2024?")
    at.text_input(key="edited-2").set_value("What was Tessaline's revenue in 2024?")
    at.button(key="again-2").click().run()
    assert at.chat_message[4].markdown[0].value == "and in 2024?"
    caption = at.chat_message[5].caption[0].value
    assert caption.startswith("Asked of TSLT fiscal 2024")
    assert caption.endswith("Searched for: What was Tessaline's revenue in 2024?")


def test_an_example_is_one_click(home: Path) -> None:
    at = page()
    labels = [button.label.replace("\\", "") for button in at.main.button]
    assert "Which risks could hurt Brightwater Grocers' business most?" in labels
    at.main.button[0].click().run()
    assert at.chat_message[0].markdown[0].value.replace("\\", "") == labels[0]
    assert at.chat_message[1].expander
    left = [button.label.replace("\\", "") for button in at.main.button]
    assert not set(left) & set(labels), "the examples go with the first question"


def test_a_question_that_a_rerun_interrupted_is_answered_once(home: Path) -> None:
    at = page()
    at.session_state["waiting"] = state.Waiting(BACKLOG)
    at.run()
    assert len(at.chat_message) == 2
    at.run()
    assert len(at.chat_message) == 2


def test_a_new_conversation_is_empty(home: Path) -> None:
    at = ask(page(), BACKLOG)
    next(b for b in at.sidebar.button if b.label == "New conversation").click().run()
    assert not at.chat_message


def test_an_empty_library_is_the_sentence_of_the_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "nothing"))
    with pytest.raises(LibraryError) as sentence:
        Library(tmp_path / "nothing").check_filters(Filters())
    at = page()
    assert at.error[0].value.replace("\\", "") == str(sentence.value)
    assert not at.chat_input
    assert not at.exception


def test_an_unknown_model_is_one_sentence(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("RAG_MODEL", "nosuch")
    at = page()
    assert at.error[0].value.startswith("There is no model nosuch")
    assert not at.exception


def test_a_refused_key_is_one_sentence_and_the_chat_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with llm_standin(StandIn(status=401)) as answers:
        monkeypatch.setenv("OPENAI_BASE_URL", answers.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-quillfeather-0042")
        at = ask(page(), BACKLOG)
        assert "refused the key" in at.error[0].value
        assert "quillfeather" not in texts(at) + at.error[0].value
        folded = at.chat_message[1].expander[0]
        assert (folded.label, folded.proto.expanded) == ("Details", False)
        assert folded.caption[0].value.replace("\\", "").startswith("LLMError, 20")
        answers.status, answers.pieces = 200, ["It was $94.6 mil", "lion [1], not $77 million [1]."]
        ask(at, BACKLOG)
    assert len(at.error) == 1
    answer = next(m.value for m in at.chat_message[3].markdown if m.value.startswith("It was"))
    links = [f'[\\[1\\]](#passage-2-{count} "Show passage 1")' for count in (1, 2)]
    assert answer == f"It was \\$94.6 million {links[0]}, not \\$77 million {links[1]}."
    assert [w.value for w in at.warning] == ["Not found in the cited passages: \\$77 million"]


def test_a_fault_of_the_program_shows_no_detail(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("inner detail")

    monkeypatch.setattr("rag_app.index.retriever.FilingsRetriever._retrieve", fail)
    at = ask(page(), BACKLOG)
    assert at.error[0].value == app.INTERNAL
    assert "inner detail" not in texts(at)
    assert "RuntimeError" in at.chat_message[1].expander[0].caption[0].value


def test_a_library_that_the_model_never_read_is_encoded_at_the_first_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, minilm: Embedder
) -> None:
    library = Library(tmp_path / "home")
    ingest([write_filing(tmp_path / "q.html")], library, minilm, 384, max_file_mb=1)
    shutil.rmtree(library.home / "index")
    vectors = next(library.root.rglob("*.safetensors"))
    vectors.unlink()
    shown: list[tuple[int, int]] = []
    says = state._encoding_says

    def watched(model: str, done: int, total: int) -> str:
        shown.append((done, total))
        return says(model, done, total)

    monkeypatch.setattr(state, "_encoding_says", watched)
    monkeypatch.setenv("RAG_HOME", str(library.home))
    at = ask(page(), "What was revenue in 2023?")
    assert "41" in texts(at)
    count = len(load_vectors(vectors)[0])
    assert shown == [(0, count), (count, count)]
    told = [says("m", done, 1500) for done in (0, 128, 1500)]
    assert [text.partition(": ")[2] for text in told] == [
        *("loading the model", "128 of 1,500 passages", "building the index"),
    ]


def test_a_failing_warm_up_is_silent_and_the_question_says_why(
    tmp_path: Path, minilm: Embedder, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = Embedder(dataclasses.replace(minilm.spec, folder=tmp_path, name="broken"))
    state._warm_up(broken)
    assert "Traceback" not in capfd.readouterr().err
    with pytest.raises(ModelError, match="broken"):
        broken.encode_queries(["anything"])
