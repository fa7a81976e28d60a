"""Settings: the only reader of settings.toml, .env and the environment."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from rag_app.errors import RagError
from rag_app.index.fusion import DENSE_SHARE
from rag_app.index.served import served_model

NOT_SETTINGS = {"RAG_TEST_DATA"}
"""Variables of the prefix that are read elsewhere: where the tests find real filings."""


class Settings(BaseSettings):
    """All that can be set, with its default; ``settings.toml.example`` explains each field.

    The order is: command-line flags, environment (``RAG_DIM``), ``.env``, ``settings.toml``.
    """

    model_config = SettingsConfigDict(
        env_prefix="RAG_",
        env_file=".env",
        toml_file="settings.toml",
        env_ignore_empty=True,  # `RAG_DIM=` is how a shell leaves it unset
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    home: Path = Path("data/local")
    """Library, indexes, models and reports; ``RAG_HOME``."""
    model: str = Field(default_factory=lambda read: served_model(read["home"]))
    """A name under ``home/models``, one that ships here, a folder, or a hub name; none: the model
    that was promoted last, or the one that ships."""
    dim: int | None = None
    """Coordinates kept of each embedding; none: the model's full width."""
    query_prompt: str | None = None
    """Text put before each query; none: what the model's folder or the known-models table says."""
    document_prompt: str | None = None
    """Text put before each passage, likewise."""
    k: int = Field(5, ge=1, le=50)
    """Passages shown to the LLM and to the reader."""
    lexical: bool = True
    """Fuse BM25 with the dense hits."""
    dense_share: float = Field(DENSE_SHARE, ge=0, le=1)
    """Weight of the cosine where BM25 is fused with it; 0: BM25 alone orders, 1: the cosine."""
    rescore: bool = True
    """Order candidates by their full-width vectors, where ``dim`` is less than that."""
    refuse_below: float | None = Field(None, ge=0, le=1)
    """Probability of an answer under which a question is refused; none: as calibrated, 0: never."""
    reranker: str = ""
    """A CrossEncoder's folder or hub name that orders the best candidates anew; none: no such."""
    collapse: bool = True
    """Show a passage that stands in several filings once, with the others named."""
    auto_filter: bool = True
    """A question's words (company, year, form, Item) set filters that are not set already."""
    encoder: Literal["auto", "torch", "openvino"] = "auto"
    """What runs the embedding model; ``auto``: torch on a GPU, else OpenVINO if it can."""
    max_file_mb: int = Field(200, ge=1)
    """A larger file is refused before it is read."""

    chroma_url: str = ""
    """A Chroma server that holds the collections; none: they are kept in ``home/index``."""
    chroma_headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Sent with every request to the Chroma server; they authenticate, so they are secrets."""
    chroma_tenant: str = "default_tenant"
    chroma_database: str = "default_database"
    chroma_timeout_s: float = Field(30.0, gt=0)
    """How long the Chroma server may take over one request."""

    llm: Literal["auto", "openai", "local", "none"] = "auto"
    """``auto``: OpenAI-compatible when a key or base URL is set, else none."""
    llm_model: str = "gpt-4o-mini"
    """The model name sent to an OpenAI-compatible server."""
    llm_gguf: Path | None = None
    """The GGUF file of the local server; none: SmolLM2 out of its pip package."""
    llm_timeout_s: float = Field(60.0, gt=0)
    """How long an LLM server may take to begin or go on answering."""
    openai_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key")
    )
    openai_base_url: str = Field(
        "", validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_base_url")
    )
    api_token: SecretStr = SecretStr("")
    """What `python -m rag_app serve` asks every request for; none: nothing, on loopback alone."""
    edgar_identity: str = Field(
        "", validation_alias=AliasChoices("EDGAR_IDENTITY", "edgar_identity")
    )
    """Name and e-mail sent to EDGAR, which refuses requests without them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment over ``.env`` over ``settings.toml``."""
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            TomlConfigSettingsSource(settings_cls),
        )

    @field_validator("chroma_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") else None
        if url and (not host or "@" in parts.netloc or parts.query or parts.fragment):
            raise ValueError(
                "give http://HOST:PORT or https://HOST; a user or key goes into chroma_headers"
            )
        return url.rstrip("/")

    @property
    def llm_kind(self) -> Literal["openai", "local", "none"]:
        """The row of ``LLMS`` that ``auto`` stands for."""
        if self.llm != "auto":
            return self.llm
        configured = self.openai_api_key.get_secret_value() or self.openai_base_url
        return "openai" if configured else "none"


def load_settings(**flags: Any) -> Settings:
    """Read the settings; a flag that is None is as if it were not given.

    Raises:
        RagError: a field has a wrong value (never shown, since it may be a key), settings.toml is
            malformed or names an unknown field, the environment or ``.env`` sets a ``RAG_``
            variable that is nearly one, or the file of promoted models is damaged.
    """
    toml = Path("settings.toml")
    try:
        named = tomllib.loads(toml.read_text("utf-8")) if toml.exists() else {}
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RagError(f"settings.toml is not valid TOML ({error}); mend that line.") from None
    except SettingsError as error:  # names the field and the source, never the value
        raise RagError(f"A setting is not valid JSON ({error}); mend it there.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = first["loc"][0] if first["loc"] else "settings"
        raise RagError(
            f"The setting `{name}` is wrong: {first['msg']}. See settings.toml.example."
        ) from None
    _check_variables()
    unknown = sorted(set(named) - set(Settings.model_fields))
    if unknown:
        known = ", ".join(Settings.model_fields)
        raise RagError(f"settings.toml names {', '.join(unknown)}; known settings: {known}.")
    return settings


def _check_variables() -> None:
    """Refuse a ``RAG_`` variable that is spelt nearly like a setting, and sets nothing.

    Raises:
        RagError: names it, where it stands and the nearest that there is.
    """
    own = {name: f"RAG_{name.upper()}" for name in Settings.model_fields}
    own |= {name: name.upper() for name in ("openai_api_key", "openai_base_url", "edgar_identity")}
    known = {*own.values(), *NOT_SETTINGS}
    places = {"The environment": EnvSettingsSource, ".env": DotEnvSettingsSource}
    for place, source in places.items():
        for name in map(str.upper, source(Settings).env_vars):
            if not name.startswith("RAG_") or name in known:
                continue
            # One that resembles none is another program's: Open WebUI has RAG_TOP_K.
            if close := difflib.get_close_matches(name, own.values(), n=1, cutoff=0.85):
                raise RagError(
                    f"{place} sets {name}, which is no setting; did you mean {close[0]}? "
                    "settings.toml.example lists them all."
                )


def processor_threads() -> int:
    """How many threads may compute: ``OMP_NUM_THREADS``, as torch reads it, or every processor."""
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that is to start with the same model and dimension.

    A model that nobody named is left to be looked up: a promotion may change it at any time.
    """
    environment = dict(os.environ)
    if "model" in settings.model_fields_set:
        environment["RAG_MODEL"] = settings.model
    if settings.dim is not None:
        environment["RAG_DIM"] = str(settings.dim)
    return environment
