"""Settings: order of sources, one-sentence errors, no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_app.errors import RagError
from rag_app.settings import Settings, child_environment, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_flags_win_over_environment_over_dotenv_over_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("settings.toml").write_text('dim = 64\nk = 7\nmodel = "a"\nllm_model = "toml"\n')
    Path(".env").write_text("RAG_K=8\nRAG_MODEL=b\nOPENAI_API_KEY=sk-dotenv\nUNRELATED=1\n")
    monkeypatch.setenv("RAG_MODEL", "c")
    settings = load_settings(model="d", dim=None)
    assert (settings.model, settings.k, settings.dim) == ("d", 8, 64)
    assert settings.llm_model == "toml"
    assert load_settings().model == "c"
    assert settings.openai_api_key.get_secret_value() == "sk-dotenv"


def test_example_names_every_setting_and_its_default() -> None:
    defaults = load_settings()
    example = (Path(__file__).parent.parent / "settings.toml.example").read_text()
    Path("settings.toml").write_text(example)
    assert load_settings() == defaults
    for name in set(Settings.model_fields) - {"openai_api_key", "edgar_identity"}:
        assert name in example, name


def test_unknown_name_lists_the_known(tmp_path: Path) -> None:
    Path("settings.toml").write_text("dimension = 64\n")
    with pytest.raises(RagError, match=r"dimension; known settings: .*\bdim\b"):
        load_settings()


def test_malformed_toml_is_one_sentence() -> None:
    Path("settings.toml").write_text("dim = \n")
    with pytest.raises(RagError, match="not valid TOML"):
        load_settings()


def test_wrong_value_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_DIM", "sk-a-secret-pasted-here")
    with pytest.raises(RagError, match="`dim` is wrong") as raised:
        load_settings()
    assert "sk-a-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("RAG_DIMM", "RAG_DIMM, which is no setting; did you mean RAG_DIM?"),
        ("rag_encodr", "RAG_ENCODR, which is no setting; did you mean RAG_ENCODER?"),
        ("RAG_OPENAI_API_KEY", "did you mean OPENAI_API_KEY?"),
    ],
)
def test_a_misspelt_variable_is_refused_wherever_it_is_set(
    name: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv(name, "sk-a-secret")
        with pytest.raises(RagError, match=r"^The environment sets ") as raised:
            load_settings()
    assert sentence in str(raised.value)
    assert "sk-a-secret" not in str(raised.value)
    Path(".env").write_text(f"{name}=64\n")
    with pytest.raises(RagError, match=r"^\.env sets "):
        load_settings()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("settings.toml").write_text("dim = 64\n")
    for name in ("RAG_DIM", "RAG_LLM", "RAG_DIMM"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("RAG_TEST_DATA", "somewhere")
    assert load_settings().dim == 64


def test_a_variable_that_resembles_no_setting_is_another_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_TOP_K", "7")
    assert load_settings().k == 5


def test_key_is_not_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-secret")
    assert "sk-a-secret" not in repr(load_settings())


def test_auto_llm_follows_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().llm_kind == "none"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert load_settings().llm_kind == "openai"
    assert load_settings(llm="none").llm_kind == "none"


def test_child_starts_with_the_same_model_and_dimension() -> None:
    environment = child_environment(load_settings(model="mine", dim=64))
    assert (environment["RAG_MODEL"], environment["RAG_DIM"]) == ("mine", "64")


def test_a_child_looks_up_a_model_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promotion while it runs then counts for it."""
    monkeypatch.delenv("RAG_MODEL")
    assert "RAG_MODEL" not in child_environment(load_settings())
