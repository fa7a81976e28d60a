"""CLI: ingest | ask | chat | index | status."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rag_app.cli import OK, USER, add_debug_flag, open_embedder, run
from rag_app.settings import load_settings

EXAMPLES = """examples:
  python -m rag_app ingest data/sample/filings
  python -m rag_app ingest --ticker NVDA --form 10-K --year 2023
  python -m rag_app ask "What was NVIDIA's total revenue in fiscal 2023?" --ticker NVDA
  python -m rag_app index --dim 64
  python -m rag_app chat
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 2 for what the user can mend, 1 for a fault of ours."""
    args = _parser().parse_args(argv)
    return run(args.command, args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag_app",
        description="Chat with SEC filings: cited answers, checked figures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ingest = commands.add_parser("ingest", help="add filings from files, folders or EDGAR")
    ingest.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="file or folder")
    ingest.add_argument("--ticker", default="", help="of the file, or to fetch from EDGAR")
    ingest.add_argument("--form", default="", help="10-K, 10-Q, 8-K ... (EDGAR: 10-K)")
    ingest.add_argument("--year", type=int, help="fiscal year")
    ingest.add_argument(
        "--period-end", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="of the file"
    )
    _add_model_flags(ingest)
    ingest.set_defaults(command=_ingest)

    ask = commands.add_parser("ask", help="ask a question, get a cited answer")
    ask.add_argument("question")
    ask.add_argument("--ticker", default="", help="only this company's filings")
    ask.add_argument("--form", default="", help="only this form")
    ask.add_argument("--year", type=int, help="only this fiscal year")
    ask.add_argument("--k", type=int, help="passages to answer from (default: 5)")
    _add_model_flags(ask)
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.set_defaults(command=_ask)

    chat = commands.add_parser("chat", help="open the chat page on 127.0.0.1:8501")
    chat.add_argument("--port", type=int, default=8501)
    _add_model_flags(chat)
    chat.set_defaults(command=_chat)

    index = commands.add_parser("index", help="bring an index up to the library")
    _add_model_flags(index)
    index.add_argument("--rebuild", action="store_true", help="build it anew even if it is current")
    index.set_defaults(command=_index)

    status = commands.add_parser("status", help="library, model, dimension, indexes, disk use")
    _add_model_flags(status)
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(command=_status)

    for command in commands.choices.values():
        add_debug_flag(command)
    return parser


def _add_model_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="a trained model's name, a folder, or a hub name")
    parser.add_argument("--dim", type=int, help="dimension to index and search at")


def _ingest(args: argparse.Namespace) -> int:
    from rag_app.ingest import CoverFlags, ingest
    from rag_app.library import Library
    from rag_app.progress import console_watcher, describe

    settings = load_settings(model=args.model, dim=args.dim)
    paths = args.paths
    if not paths:
        paths = _fetch(args, settings.edgar_identity, settings.home)
    embedder = open_embedder(settings)
    with console_watcher() as watcher:
        report = ingest(
            paths,
            Library(settings.home),
            embedder,
            embedder.spec.check_dim(settings.dim),
            max_file_mb=settings.max_file_mb,
            flags=CoverFlags(args.ticker, args.form, args.year, args.period_end),
            watcher=watcher,
        )
    print(describe(report))
    return USER if report.refused else OK


def _fetch(args: argparse.Namespace, identity: str, home: Path) -> list[Path]:
    from rag_app.errors import FilingError
    from rag_app.filings.edgar import fetch_filings

    if not args.ticker:
        raise FilingError("Name files or folders to ingest, or --ticker to fetch from EDGAR.")
    return fetch_filings(
        ticker=args.ticker,
        form=args.form or "10-K",
        year=args.year,
        identity=identity,
        folder=home / "downloads",
    )


def _ask(args: argparse.Namespace) -> int:
    from rag_app.answer import Reply
    from rag_app.chat.llm import open_llm
    from rag_app.index.retriever import FilingsRetriever
    from rag_app.index.serving import open_snapshot
    from rag_app.library import Library
    from rag_app.progress import encoding_bar
    from rag_app.records import Filters
    from rag_app.render import answer_json, sources_text

    settings = load_settings(model=args.model, dim=args.dim, k=args.k)
    filters = Filters(args.ticker, args.form, args.year)
    library = Library(settings.home)
    library.check_filters(filters)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(settings.dim)
    with encoding_bar() as on_progress:
        snapshot = open_snapshot(
            library,
            embedder,
            dim,
            on_progress=on_progress,
            on_note=lambda note: print(f"note: {note}", file=sys.stderr),
        )
    retriever = FilingsRetriever(snapshot, filters=filters, k=settings.k, lexical=settings.lexical)
    reply = Reply(args.question, retriever, open_llm(settings))
    for _ in reply:  # the text is printed once its citations and figures are checked
        pass
    if args.json:
        print(json.dumps(answer_json(reply.answer), indent=2, ensure_ascii=False))
    else:
        print(f"{reply.answer.text}\n\n{sources_text(reply.answer)}")
    return OK


def _chat(args: argparse.Namespace) -> int:
    from rag_app.ui.launch import launch

    return launch(load_settings(model=args.model, dim=args.dim), port=args.port)


def _index(args: argparse.Namespace) -> int:
    from rag_app.index.build import build_index
    from rag_app.library import Library
    from rag_app.progress import encoding_bar
    from rag_app.sealed import writer_lock

    settings = load_settings(model=args.model, dim=args.dim)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(settings.dim)
    library = Library(settings.home)
    with encoding_bar() as on_progress, writer_lock(settings.home):
        report = build_index(library, embedder, dim, on_progress, rebuild=args.rebuild)
    done = "built" if report.rebuilt else "was current already"
    print(
        f"Index {embedder.spec.name} at {dim} dimensions {done}: {report.chunk_count} chunks, "
        f"{report.encoded} encoded, {report.seconds:.1f} s."
    )
    return OK


def _status(args: argparse.Namespace) -> int:
    from rag_app.library import Library
    from rag_app.status import library_status, status_text

    settings = load_settings(model=args.model, dim=args.dim)
    spec = open_embedder(settings).spec
    status = library_status(Library(settings.home), spec, spec.check_dim(settings.dim))
    print(json.dumps(status, indent=2) if args.json else status_text(status))
    return OK


if __name__ == "__main__":
    sys.exit(main())
