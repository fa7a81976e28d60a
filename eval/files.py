"""Text files: read, or refused in a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rag_app.errors import DataError


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without a byte-order mark.

    Raises:
        DataError: there is no such file, it is a folder, or it is not text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"There is no file {path}; check the path.") from None
    except UnicodeDecodeError:
        raise DataError(
            f"{path} is not UTF-8 text; save it as UTF-8, if it is a CSV or JSONL file."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the path.") from None


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file, in order; blank lines are skipped.

    Raises:
        DataError: the file cannot be read, or a line is no JSON object.
    """
    objects = []
    # split, not splitlines: JSON strings may hold U+2028 and its like unescaped.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise DataError(f"Line {number} of {path} is not a JSON object; mend that line.")
        objects.append(value)
    return objects


def prepare_out(path: Path) -> None:
    """Make the folder of a file that is to be written; ask before the long work, not after.

    Raises:
        DataError: ``path`` is a folder, or its folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise DataError(f"{path} cannot be written; choose another file.")


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be written ({error.strerror}); choose another file.")
