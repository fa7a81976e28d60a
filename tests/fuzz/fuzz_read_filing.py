"""Fuzz target: whatever the bytes, reading gives a sound filing or one sentence of refusal.

Run it with atheris, which the project does not install, in a throwaway environment:

    python3.11 -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install atheris
    PYTHONPATH=.:.venv/lib/python3.11/site-packages /tmp/fuzz/bin/python \
        tests/fuzz/fuzz_read_filing.py -max_total_time=600 -timeout=20 -rss_limit_mb=3000 \
        -dict=tests/fuzz/filing.dict /tmp/fuzz/found tests/fuzz/corpus

``eval/NOTES.md`` has the last result.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rag_app"]):
    from rag_app.errors import FilingError
    from rag_app.filings.chunks import make_chunks, passage_text, token_counter
    from rag_app.filings.read import read_filing
    from rag_app.records import CoverFlags

MAX_TOKENS = 256
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")
FLAGS = CoverFlags("FUZZ", "10-K", period_end=dt.date(2023, 12, 31))
COUNT_TOKENS = token_counter()
FILE = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm")) / "filing"


def check(data: bytes) -> None:
    """Read the bytes as a file; only a one-line FilingError may come out."""
    FILE.write_bytes(data)
    try:
        parsed = read_filing(FILE, max_bytes=10**7, flags=FLAGS)
    except FilingError as refused:
        assert "\n" not in str(refused), "a refusal is one line"
        return
    texts = [section.text for section in parsed.sections]
    assert not any(CONTROL.search(text) for text in texts), "control characters stored"
    nodes = make_chunks(parsed, COUNT_TOKENS, MAX_TOKENS)
    assert len({node.node_id for node in nodes}) == len(nodes), "chunk ids repeat"
    for node in nodes:
        start, end = node.metadata["start"], node.metadata["end"]
        assert any(text[start:end] == node.text for text in texts), "a chunk is no slice"
    longest = max(COUNT_TOKENS([passage_text(node) for node in nodes]), default=0)
    assert longest <= MAX_TOKENS, f"a chunk has {longest} tokens"


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
