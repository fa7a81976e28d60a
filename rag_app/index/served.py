"""Which model is served where no setting names one: the promoted names, newest last, in a file."""

from __future__ import annotations

import json
from pathlib import Path

from rag_app.errors import ModelError
from rag_app.sealed import write_whole

SERVED_FILE = "served.json"
MINILM = "minilm"
"""Name of all-MiniLM-L6-v2 out of its pip package."""
TUNED_MINILM = "filings-minilm"
"""Name of the tuned model that ships with the project, served where nothing was promoted."""


def served_model(home: Path) -> str:
    """The model that was promoted last, or the default.

    Raises:
        ModelError: the file that says so is damaged.
    """
    return (_promoted(home) or [TUNED_MINILM])[-1]


def serve(home: Path, name: str) -> None:
    """Serve a model from now on; the ones before it stay known for ``roll_back``.

    Raises:
        ModelError: the file of promotions is damaged.
        LibraryError: it cannot be written; what was served is served still.
    """
    _write(home, [*(known for known in _promoted(home) if known != name), name])


def withdraw(home: Path, name: str) -> None:
    """Forget that a model was promoted, as when its folder is gone.

    Raises:
        ModelError, LibraryError: as ``serve``.
    """
    promoted = _promoted(home)
    if name in promoted:
        _write(home, [known for known in promoted if known != name])


def roll_back(home: Path) -> str:
    """Serve what was served before the last promotion; returns its name.

    Raises:
        ModelError: nothing was promoted.
        LibraryError: as ``serve``.
    """
    promoted = _promoted(home)
    if not promoted:
        raise ModelError(
            f"Nothing was promoted, so {TUNED_MINILM} is served and there is nothing to roll back."
        )
    _write(home, promoted[:-1])
    return served_model(home)


def _promoted(home: Path) -> list[str]:
    path = home / "models" / SERVED_FILE
    try:
        names = json.loads(path.read_text("utf-8"))["promoted"]
        return [str(name) for name in names]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path}, which says what is served, cannot be read ({type(error).__name__}); remove "
            f"it, and {TUNED_MINILM} is served."
        ) from None


def _write(home: Path, names: list[str]) -> None:
    record = json.dumps({"promoted": names}, indent=2)
    write_whole(home / "models" / SERVED_FILE, f"{record}\n".encode())
