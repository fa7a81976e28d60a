"""The process of a background job: one command of this project, and how it ended."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from rag_app.cli import INTERNAL, INTERRUPTED, OK, USER
from rag_app.errors import RagError
from rag_app.progress import refusal_of
from rag_app.sealed import write_whole
from rag_app.ui.jobs import END, LOG, PROGRESS, RECORD
from rag_app.uploads import forget_refused, uploads_in

NICE = 5
"""The chat, which somebody waits for, goes first."""


def main(folder: Path) -> int:
    """Run the command that the job's record names; what it prints is the job's log."""
    os.nice(NICE)
    code = INTERNAL
    try:
        record = json.loads((folder / RECORD).read_bytes())
        program, argv = record["program"], list(record["argv"])
        if program == "rag_app":  # training has a file of its own
            argv.append(f"--progress={folder / PROGRESS}")
        code = importlib.import_module(f"{program}.__main__").main(argv)
        if code in (OK, USER):  # one that was stopped may be started again
            _forget_refused(folder, argv)
    except KeyboardInterrupt:  # before the command could say so itself
        code = INTERRUPTED
    except SystemExit as error:  # flags that do not parse
        code = error.code if isinstance(error.code, int) else INTERNAL
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end = {"code": code, "ended": dt.datetime.now(dt.UTC).isoformat()}
        write_whole(folder / END, json.dumps(end).encode())
    return code


def _forget_refused(folder: Path, argv: list[str]) -> None:
    """What was uploaded and refused is not kept; the job's log says why it was."""
    home = folder.parent.parent
    said = (folder / LOG).read_text("utf-8", "replace")
    refused = [path for path in uploads_in(home, argv) if refusal_of(path.name) in said]
    with suppress(RagError):  # a damaged library
        if refused:
            forget_refused(home, refused)


if __name__ == "__main__":
    # A server that was started in the background ignores Ctrl-C, and its children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(Path(sys.argv[1])))
