"""The directions of imports, and one home for each library (DESIGN, "The house")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("rag_app", "eval", "finetune")
MAY_IMPORT = {"rag_app": {"rag_app"}, "eval": {"rag_app", "eval"}, "finetune": set(PACKAGES)}
HOMES = {
    "streamlit": ("rag_app/ui/",),
    "chromadb": (
        "rag_app/index/chroma.py",
        "rag_app/index/chroma_server.py",
        "eval/benches/plain_chroma.py",
    ),
    "ray": ("rag_app/engines/",),
    "edgar": ("rag_app/filings/edgar.py", "rag_app/filings/edgar_list.py"),
    "sentence_transformers": (
        "rag_app/index/rerank.py",
        "rag_app/index/embedder.py",
        "rag_app/index/encoder_torch.py",
        "rag_app/index/encoders.py",
        "rag_app/index/conversion.py",
        "rag_app/index/adapter.py",
        "finetune/",
    ),
    "openvino": ("rag_app/index/encoder_openvino.py",),
    "bm25s": ("rag_app/index/lexical.py", "rag_app/chat/text.py"),
    "xllamacpp": ("rag_app/chat/local_server.py",),
    "openai": ("rag_app/chat/llm.py",),
    "fastapi": ("rag_app/serve/",),
    "uvicorn": ("rag_app/serve/",),
    "mcp": ("rag_app/serve/",),
    "pypdfium2": ("rag_app/filings/pdf.py", "rag_app/filings/pdfchars.py"),
}
HEAVY = {"torch", "sentence_transformers", "llama_index", "chromadb", "datasets", "streamlit"}
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that a tree imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute"
            yield node.module
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in inner if is_module(name))


def is_module(name: str) -> bool:
    """Whether it is one of ours; else it is a name out of a module."""
    return (ROOT / name.replace(".", "/")).with_suffix(".py").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_their_directions(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    package = name.split("/")[0]
    tree = ast.parse(path.read_text("utf-8"))
    for module in imported(tree):
        top = module.split(".")[0]
        if top in PACKAGES:
            assert top in MAY_IMPORT[package], f"{name} imports {module}"
        if top in HOMES:
            assert name.startswith(HOMES[top]), f"{name} imports {module}"
    first = ast.get_docstring(tree)
    assert first, f"{name} does not say its one job"


def test_only_settings_reads_the_environment() -> None:
    """Telling a library something through a variable (``os.environ[x] = y``) is not reading."""
    readers = []
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        told = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        }
        if any(
            isinstance(node, ast.Attribute)
            and node.attr in ("environ", "getenv")
            and id(node) not in told
            for node in ast.walk(tree)
        ):
            readers.append(str(path.relative_to(ROOT)))
    assert readers == ["rag_app/settings.py"]


@pytest.mark.parametrize("command", ["rag_app", "eval", "finetune"])
def test_help_is_quick_because_heavy_libraries_wait(command: str) -> None:
    """What ``python -m X --help`` imports, read off the files rather than the clock."""
    seen, waiting = set(), [f"{command}/__main__.py"]
    while waiting:
        name = waiting.pop()
        if name in seen or not (ROOT / name).exists():
            continue
        seen.add(name)
        tree = ast.parse((ROOT / name).read_text("utf-8"))
        for module in _imported_at_top(tree):
            assert module.split(".")[0] not in HEAVY, f"{name} imports {module} at its top"
            if module.split(".")[0] in PACKAGES:
                waiting.append(module.replace(".", "/") + ".py")


def _imported_at_top(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)
