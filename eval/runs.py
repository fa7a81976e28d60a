"""Rankings on disk in TREC's run format, gzipped: ``query Q0 passage rank score tag`` a line."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from eval.evalset import Run
from rag_app.errors import DataError
from rag_app.sealed import write_whole

RUN_DEPTH = 20
"""Passages kept a query: as many as the deepest metric looks at; a hundred take five times the
room."""


def ranked(scores: Mapping[str, float]) -> list[str]:
    """Passage ids, best first; equal scores rank by id, ascending, on every machine."""
    return sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))


def write_run(path: Path, run: Run, tag: str) -> None:
    """Write the first ``RUN_DEPTH`` of each query, whole; white space in ids is percent-encoded.

    The same run gives the same bytes: no time stands in the file.

    Raises:
        LibraryError: the disk is full or read-only.
    """
    lines = [
        f"{_word(query_id)} Q0 {_word(passage_id)} {rank} {scores[passage_id]:.6f} {_word(tag)}\n"
        for query_id, scores in run.items()
        for rank, passage_id in enumerate(ranked(scores)[:RUN_DEPTH], start=1)
    ]
    write_whole(path, gzip.compress("".join(lines).encode(), mtime=0))


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Query id → passage id → score, as ``write_run`` or another program wrote it.

    Raises:
        DataError: there is no such file, or it is no run.
    """
    run: dict[str, dict[str, float]] = defaultdict(dict)
    try:
        content = path.read_bytes()
        text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        for line in text.decode().splitlines():
            query_id, _, passage_id, _, score, _ = line.split()
            run[unquote(query_id)][unquote(passage_id)] = float(score)
    except FileNotFoundError:
        raise DataError(f"There is no file {path}; run the evaluation again.") from None
    except (OSError, EOFError, ValueError, zlib.error):
        raise DataError(
            f"{path} is not a run in TREC's format; run the evaluation again."
        ) from None
    return dict(run)


def _word(text: str) -> str:
    return re.sub(r"[\s%]", lambda found: quote(found[0]), text)
