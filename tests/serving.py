"""`python -m rag_app serve` as a process of its own, with a library and settings of the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(home: Path, *flags: str, **settings: str) -> Iterator[str]:
    """The URL of a running API; it is stopped with the block."""
    command = [sys.executable, "-m", "rag_app", "serve", "--port", "0", *flags]
    process = subprocess.Popen(
        command,
        env={**os.environ, "RAG_HOME": str(home), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stderr
    try:
        line = process.stdout.readline()
        found = re.match(r"API: (http://\S+) ", line)
        assert found, line + process.stderr.read()
        yield found[1]
    finally:
        process.terminate()
        process.communicate(timeout=30)
