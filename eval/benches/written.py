"""The bench's record: JSON with every figure and a Markdown page of it, rows of older runs kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.benches.measured import Aim, Measured
from eval.files import read_text
from rag_app.errors import DataError
from rag_app.settings import processor_threads

PACKAGES = (
    "torch",
    "sentence-transformers",
    "openvino",
    "chromadb",
    "llama-index-core",
    "llama-index-embeddings-huggingface",
    "llama-index-vector-stores-chroma",
    "chroma-hnswlib",
    "bm25s",
    "numpy",
)
SIGNS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
Rows = dict[str, dict[str, Any]]


def row_record(measured: Measured, command: str) -> dict[str, Any]:
    """A row with when and on what it was measured."""
    return measured.record() | {"command": command, "machine": machine()}


def machine() -> dict[str, Any]:
    """This machine, its load, and the versions of what was measured."""
    about = _told("/proc/cpuinfo")
    flags = about.get("flags", "").split()
    memory = _told("/proc/meminfo").get("MemTotal", "0 kB").split()[0]
    return {
        "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": about.get("model name", platform.processor()),
        "features": [sign for sign in SIGNS if sign in flags],
        "processors": os.cpu_count(),
        "threads": processor_threads(),
        "memory_gb": round(int(memory) / 1e6, 1),
        "load_after_1_5_15_min": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def write_record(path: Path, rows: Rows) -> Path:
    """Put rows into the JSON file, in place of older ones; returns the Markdown page beside it.

    Raises:
        DataError: the file there is no record of a bench.
    """
    kept = _rows(path) | rows
    path.write_text(json.dumps({"rows": kept}, indent=2) + "\n", "utf-8")
    page = path.with_suffix(".md")
    page.write_text(_page(kept), "utf-8")
    return page


def check_record(path: Path) -> None:
    """Refuse, before the long work, a file that rows cannot be put into.

    Raises:
        DataError: it is no record of a bench, or has the page's own name.
    """
    if path.suffix == ".md":
        raise DataError(f"--out {path} is the JSON file; name it with .json.")
    _rows(path)


def _rows(path: Path) -> Rows:
    if not path.exists():
        return {}
    try:
        rows: Rows = json.loads(read_text(path))["rows"]
        for row in rows.values():
            _measured(row)
        return rows
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{path} is no record of `eval bench`; choose another file for --out."
        ) from None


def _measured(row: Mapping[str, Any]) -> Measured:
    aims = tuple(Aim(a["what"], a["figure"], a["limit"], a["at_most"]) for a in row["aims"])
    return Measured(row["what"], row["sides"], aims, row["note"])


def _page(rows: Rows) -> str:
    parts = ["# Bench", "Written by `python -m eval bench --out FILE`; do not edit."]
    for name, row in rows.items():
        about = row["machine"]
        versions = ", ".join(f"{name} {is_}" for name, is_ in about["versions"].items())
        load = ", ".join(map(str, about["load_after_1_5_15_min"]))
        parts += [
            f"## {name}",
            _measured(row).markdown(),
            f"`{row['command']}`, {about['when']}: {about['processor']} "
            f"({', '.join(about['features'])}), {about['processors']} processors, "
            f"{about['threads']} threads, {about['memory_gb']} GB; load afterwards over 1, 5, 15 "
            f"minutes {load}; Python {about['python']}, {versions}.",
        ]
    return "\n\n".join(parts) + "\n"


def _told(path: str) -> dict[str, str]:
    """The ``name: value`` lines of a file of the kernel's, the first of each name."""
    found: dict[str, str] = {}
    for line in Path(path).read_text("utf-8").splitlines() if Path(path).exists() else ():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
