"""The process of a background job: one command of this project, and how it ended."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import signal
import sys
from pathlib import Path

from rag_app.cli import INTERNAL, INTERRUPTED
from rag_app.sealed import write_whole
from rag_app.ui.jobs import END, PROGRESS, RECORD

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
    except KeyboardInterrupt:  # before the command could say so itself
        code = INTERRUPTED
    except SystemExit as error:  # flags that do not parse
        code = error.code if isinstance(error.code, int) else INTERNAL
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end = {"code": code, "ended": dt.datetime.now(dt.UTC).isoformat()}
        write_whole(folder / END, json.dumps(end).encode())
    return code


if __name__ == "__main__":
    # A server that was started in the background ignores Ctrl-C, and its children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(Path(sys.argv[1])))
