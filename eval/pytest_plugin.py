"""A pytest plugin: retrieval regression tests, one a line of ``tests/retrieval/questions.jsonl``.

Load it with ``pytest -p eval.pytest_plugin`` or in ``addopts``. A test that takes ``held_id`` runs
once a line; ``retrieval`` is what was measured of all lines, asked once a session, and
``retrieval_verdict`` what the gate says of it. Override ``retrieval_home``, ``retrieval_embedder``
or ``retrieval_dim`` (session scope) in a conftest to serve another library, model or dimension, and
``retrieval_settings`` for other stages of the retriever. In pytest's settings,
``retrieval_questions`` and ``retrieval_baseline`` name other files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eval.gate import Verdict
    from eval.served import Measured
    from rag_app.index.embedder import Embedder
    from rag_app.settings import Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two files, from the root of the project."""
    from eval.commands.gate import BASELINE, QUESTIONS

    parser.addini("retrieval_questions", "questions to hold", default=str(QUESTIONS))
    parser.addini("retrieval_baseline", "their baseline", default=str(BASELINE))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a question."""
    if "held_id" in metafunc.fixturenames:
        from eval.held import held_ids

        metafunc.parametrize("held_id", held_ids(_file(metafunc.config, "retrieval_questions")))


@pytest.fixture(scope="session")
def retrieval_settings() -> Settings:
    """The settings: what takes part in the search, and what the fixtures below are by default."""
    from rag_app.settings import load_settings

    return load_settings()


@pytest.fixture(scope="session")
def retrieval_home(retrieval_settings: Settings) -> Path:
    """The library that is asked: the one that the settings name."""
    return retrieval_settings.home


@pytest.fixture(scope="session")
def retrieval_embedder(retrieval_settings: Settings) -> Embedder:
    """The model that is served: the one that the settings name."""
    from rag_app.cli import open_embedder

    return open_embedder(retrieval_settings)


@pytest.fixture(scope="session")
def retrieval_dim(retrieval_settings: Settings) -> int | None:
    """The dimension that is served: the one that the settings name; none: full width."""
    return retrieval_settings.dim


@pytest.fixture(scope="session")
def retrieval(
    pytestconfig: pytest.Config,
    retrieval_home: Path,
    retrieval_embedder: Embedder,
    retrieval_dim: int | None,
    retrieval_settings: Settings,
) -> Measured:
    """All questions asked of the served index."""
    from eval.held import load_held
    from eval.served import measure
    from rag_app.library import Library

    library = Library(retrieval_home)
    dim = retrieval_embedder.spec.check_dim(retrieval_dim)
    questions = load_held(_file(pytestconfig, "retrieval_questions"), library)
    return measure(library, retrieval_embedder, dim, questions, retrieval_settings)


@pytest.fixture(scope="session")
def retrieval_verdict(pytestconfig: pytest.Config, retrieval: Measured) -> Verdict:
    """What the gate says of it."""
    from eval.baseline import load_baseline
    from eval.gate import judge

    path = _file(pytestconfig, "retrieval_baseline")
    return judge(load_baseline(path), retrieval, path)


def _file(config: pytest.Config, name: str) -> Path:
    return config.rootpath / str(config.getini(name))
