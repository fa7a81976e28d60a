"""How fast filings are read, beside edgartools' and sec-parser's HTML readers, in one run.

    python tests/trial/bench_reader.py FILINGS [--sec-parser PYTHON] [--out TABLE.md]

``PYTHON`` is the interpreter of an environment with ``pip install sec-parser``, which is best kept
apart from the project's. Seconds are of the processor, over all threads of the reading process,
so that a busy machine slows the clock but hardly the figures; imports are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MAX_BYTES = 10**9
Timed = Callable[[Path], dict[str, float]]


def ours(path: Path) -> dict[str, float]:
    """Seconds to read the filing (Items, tables, facts), and to cut it into chunks."""
    sys.path.insert(0, str(ROOT))
    from rag_app.filings.batch import _count_tokens
    from rag_app.filings.chunks import make_chunks
    from rag_app.filings.read import read_filing

    count_tokens = _count_tokens()
    count_tokens(["load"])
    started = time.process_time()
    parsed = read_filing(path, max_bytes=MAX_BYTES)
    read = time.process_time()
    make_chunks(parsed, count_tokens)
    return {"read": read - started, "chunk": time.process_time() - read}


def edgartools(path: Path) -> dict[str, float]:
    """Seconds until edgartools' new parser has the document's text and its sections."""
    from edgar.documents import ParserConfig, parse_html

    markup = path.read_text("utf-8", "replace")
    started = time.process_time()
    document = parse_html(markup, ParserConfig(form="10-Q" if "10-Q" in path.name else "10-K"))
    document.text()
    len(document.sections)
    return {"read": time.process_time() - started}


def sec_parser(path: Path) -> dict[str, float]:
    """Seconds until sec-parser has its semantic elements."""
    import warnings

    import sec_parser as library

    markup = path.read_text("utf-8", "replace")
    started = time.process_time()
    with warnings.catch_warnings():  # it is meant for 10-Qs and says so
        warnings.simplefilter("ignore")
        library.Edgar10QParser().parse(markup)
    return {"read": time.process_time() - started}


READERS: dict[str, Timed] = {"ours": ours, "edgartools": edgartools, "sec-parser": sec_parser}


def measure(python: str, reader: str, paths: Sequence[Path]) -> dict[str, dict[str, float]]:
    """A fresh process over these files: seconds by file name; ``peak`` has its memory in MB."""
    command = [python, __file__, "--reader", reader, *map(str, paths)]
    return dict(json.loads(subprocess.run(command, check=True, stdout=-1).stdout.splitlines()[-1]))


def measure_here(reader: str, paths: Sequence[Path]) -> None:
    """What ``measure`` starts. The first file is read twice, its first reading not counted."""
    READERS[reader](min(paths, key=lambda path: path.stat().st_size))
    found: dict[str, dict[str, float]] = {}
    for path in paths:
        try:
            found[path.name] = READERS[reader](path)
        except Exception as error:
            found[path.name] = {}
            print(f"{reader} {path.name}: {type(error).__name__}: {error}", file=sys.stderr)
    found["peak"] = {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    print(json.dumps(found))


def with_workers(paths: Sequence[Path], workers: int) -> float:
    """Seconds on the clock to read and chunk all files in so many processes."""
    sys.path.insert(0, str(ROOT))
    from rag_app.filings.batch import read_files
    from rag_app.filings.read import read_filing

    started = time.perf_counter()
    for _ in read_files(paths, partial(read_filing, max_bytes=MAX_BYTES), workers):
        pass
    return time.perf_counter() - started


def table(folder: Path, sec_parser_python: str | None) -> str:
    """All figures as Markdown."""
    paths = sorted(folder.glob("*.htm*"), key=lambda path: path.stat().st_size)
    largest = paths[-1]
    mb = {path.name: path.stat().st_size / 1e6 for path in paths}
    pythons = {"ours": sys.executable, "edgartools": sys.executable}
    if sec_parser_python:
        pythons["sec-parser"] = sec_parser_python
    times = {reader: measure(python, reader, paths) for reader, python in pythons.items()}
    peak = {r: measure(p, r, [largest])["peak"]["mb"] for r, p in pythons.items()}
    versions = ", ".join(f"{name} {version(name)}" for name in ("lxml", "edgartools", "tokenizers"))
    lines = [
        "# Reading HTML filings: throughput",
        "",
        f"{len(paths)} files, {sum(mb.values()):.1f} MB; processor seconds, no encoding. "
        f"{_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"Python {platform.python_version()}, {versions}. "
        "`python tests/trial/bench_reader.py FILINGS --sec-parser PYTHON`.",
        "",
        "| reader | MB a second a core | seconds, all files | peak memory, "
        f"{largest.name} ({mb[largest.name]:.1f} MB) |",
        "|---|---|---|---|",
    ]
    for label, reader, parts in (
        ("ours: Items, tables, facts", "ours", ("read",)),
        ("ours, with chunks", "ours", ("read", "chunk")),
        *((name, name, ("read",)) for name in pythons if name != "ours"),
    ):
        done = {n: sum(t[p] for p in parts) for n, t in times[reader].items() if n in mb and t}
        seconds, read = sum(done.values()), sum(mb[name] for name in done)
        failed = f" ({len(mb) - len(done)} files failed)" if len(done) < len(mb) else ""
        lines.append(
            f"| {label} | {read / seconds:.2f}{failed} | {seconds:.1f} | {peak[reader]:.0f} MB |"
        )
    alone, shared = with_workers(paths, 1), with_workers(paths, 2)
    lines += [
        "",
        f"Clock, all files with chunks: {alone:.1f} s with one process, {shared:.1f} s with two "
        f"workers, their start included: {alone / shared:.2f} times as fast.",
        "",
        "| file | MB | read s | chunk s | MB/s/core | " + " | ".join(list(pythons)[1:]) + " |",
        "|---|---|---|---|---|" + "---|" * (len(pythons) - 1),
    ]
    for name, size in mb.items():
        t = times["ours"][name]
        others = (times[reader][name].get("read") for reader in list(pythons)[1:])
        cells = " | ".join("failed" if s is None else f"{s:.2f} s" for s in others)
        rate = size / (t["read"] + t["chunk"])
        lines.append(
            f"| {name} | {size:.2f} | {t['read']:.2f} | {t['chunk']:.2f} | {rate:.1f} | {cells} |"
        )
    return "\n".join(lines) + "\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    """Measure and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILINGS")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--sec-parser", metavar="PYTHON")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.reader:
        measure_here(args.reader, args.paths)
        return
    text = table(args.paths[0], args.sec_parser)
    if args.out:
        args.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
