"""Settings: the only reader of settings.toml, .env and the environment."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag_app.errors import RagError
from rag_app.index.served import served_model


class Settings(BaseSettings):
    """All that can be set, with its default; ``settings.toml.example`` explains each field.

    The order is: command-line flags, environment (``RAG_DIM``), ``.env``, ``settings.toml``.
    """

    model_config = SettingsConfigDict(
        env_prefix="RAG_",
        env_file=".env",
        toml_file="settings.toml",
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
    max_file_mb: int = Field(200, ge=1)
    """A larger file is refused before it is read."""

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
            malformed or names an unknown field, or the file of promoted models is damaged.
    """
    toml = Path("settings.toml")
    try:
        named = tomllib.loads(toml.read_text("utf-8")) if toml.exists() else {}
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RagError(f"settings.toml is not valid TOML ({error}); mend that line.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = first["loc"][0] if first["loc"] else "settings"
        raise RagError(
            f"The setting `{name}` is wrong: {first['msg']}. See settings.toml.example."
        ) from None
    unknown = sorted(set(named) - set(Settings.model_fields))
    if unknown:
        known = ", ".join(Settings.model_fields)
        raise RagError(f"settings.toml names {', '.join(unknown)}; known settings: {known}.")
    return settings


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that is to start with the same model and dimension."""
    environment = {**os.environ, "RAG_MODEL": settings.model}
    if settings.dim is not None:
        environment["RAG_DIM"] = str(settings.dim)
    return environment
