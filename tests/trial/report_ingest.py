"""Per file of a folder: Items found and missing, chunks, seconds to read and chunk, as Markdown.

python tests/trial/report_ingest.py ../shared/data/filings > eval/results/ingest-shared.md
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

from rag_app.errors import FilingError
from rag_app.filings.chunks import CHUNKER_VERSION, make_chunks, token_counter
from rag_app.filings.read import read_filing
from rag_app.ingest import find_files

MAX_BYTES = 200_000_000


def main(folder: Path) -> None:
    """Print the table."""
    count_tokens = token_counter()
    print("# Reading a folder of filings\n")
    print(f"`python tests/trial/report_ingest.py FOLDER`, chunker {CHUNKER_VERSION}, one process,")
    print(f"Python {platform.python_version()}; seconds are processor time, without encoding.\n")
    print("| file | Items | missing | chunks | seconds | notes |")
    print("|---|---:|---|---:|---:|---|")
    for path in find_files([folder]):
        began = time.process_time()
        try:
            parsed = read_filing(path, max_bytes=MAX_BYTES)
            chunks = make_chunks(parsed, count_tokens)
        except FilingError as error:
            print(f"| {path.name} | | | | | refused: {error} |")
            continue
        seconds, health = time.process_time() - began, parsed.health
        print(
            f"| {path.name} | {len(health.items_found)} | {', '.join(health.items_missing)} "
            f"| {len(chunks)} | {seconds:.1f} | {' '.join(health.notes)} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="whose filings are read")
    main(parser.parse_args().folder)
