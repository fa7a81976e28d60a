"""CLI: ingest | ask | chat | facts | index | status."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.cli import OK, USER, add_debug_flag, open_embedder, run
from rag_app.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag_app.filings.edgar_fetch import FetchReport
    from rag_app.ingest import CoverFlags

EXAMPLES = """examples:
  python -m rag_app ingest data/sample/filings
  python -m rag_app ingest --ticker NVDA --form 10-K --year 2023
  python -m rag_app ask "What was NVIDIA's total revenue in fiscal 2023?" --ticker NVDA
  python -m rag_app facts --ticker NVDA --concept Revenues --year 2023
  python -m rag_app index --dim 64
  python -m rag_app chat
"""

INGEST_NOTES = """examples:
  python -m rag_app ingest annual-report.html filings/
  python -m rag_app ingest --ticker NVDA --form 10-K --year 2021-2023
  python -m rag_app ingest --ticker 1045810 --form 8-K --latest 5
  python -m rag_app ingest --tickers-file companies.txt --year 2023

EDGAR asks who is calling: set EDGAR_IDENTITY="Jane Doe jane@example.com". It gets at most 8
requests a second from all processes together; when it refuses, ingest waits ten minutes or as
long as EDGAR says, and goes on. What was fetched is kept in RAG_HOME/downloads: run a command
that was stopped again, and it fetches only what is missing. An 8-K reports an event, so its
--year is the calendar year.
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

    ingest = commands.add_parser(
        "ingest",
        help="add filings from files, folders or EDGAR",
        description="Add filings to the library: files and folders, or fetched from EDGAR.",
        epilog=INGEST_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ingest.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="file or folder")
    about = ingest.add_argument_group("what the filing is (for a PATH: over what its cover says)")
    about.add_argument("--ticker", default="", help="ticker; for EDGAR a CIK will do too")
    about.add_argument("--form", default="", help="10-K, 10-Q, 8-K, 20-F, 10-K/A ... (EDGAR: 10-K)")
    about.add_argument(
        "--year", metavar="YEAR", help="fiscal year; for EDGAR a range too: 2021-2023"
    )
    about.add_argument(
        "--period-end", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="of a file"
    )
    ingest.add_argument(
        "--workers", type=int, metavar="N", help="processes that read files (default: all cores)"
    )
    edgar = ingest.add_argument_group("from EDGAR")
    edgar.add_argument("--latest", type=int, metavar="N", help="the newest N filings (default: 1)")
    edgar.add_argument(
        "--tickers-file", type=Path, metavar="FILE", help="a ticker or CIK a line, # for comments"
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

    facts = commands.add_parser("facts", help="list the XBRL facts of a concept")
    facts.add_argument("--concept", required=True, help="such as Revenues or us-gaap:Revenues")
    facts.add_argument("--ticker", default="", help="only this company's filings")
    facts.add_argument("--form", default="", help="only this form")
    facts.add_argument("--year", type=int, help="only filings of this fiscal year")
    facts.add_argument("--json", action="store_true", help="print one JSON list")
    facts.set_defaults(command=_facts)

    index = commands.add_parser("index", help="bring an index up to the library")
    _add_model_flags(index)
    index.add_argument("--rebuild", action="store_true", help="build it anew even if it is current")
    index.set_defaults(command=_index)

    status = commands.add_parser("status", help="library, model, dimension, indexes, disk use")
    _add_model_flags(status)
    status.add_argument("--filing", default="", metavar="KEY", help="how well one filing was read")
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
    fetched = None if args.paths else _fetch(args, settings)
    embedder = open_embedder(settings)
    with console_watcher() as watcher:
        report = ingest(
            fetched.paths if fetched else args.paths,
            Library(settings.home),
            embedder,
            embedder.spec.check_dim(settings.dim),
            max_file_mb=settings.max_file_mb,
            flags=CoverFlags() if fetched else _cover_flags(args),
            workers=_workers(args.workers),
            watcher=watcher,
        )
    print(describe(report))
    failures = fetched.failures if fetched else {}
    for company, error in failures.items():
        print(f"error: {company}: {error}", file=sys.stderr)
    return USER if report.refused or failures else OK


def _workers(asked: int | None) -> int:
    from rag_app.errors import RagError

    if asked is not None and asked < 1:
        raise RagError(f"--workers {asked} is no number of processes; give 1 or more.")
    return asked or os.cpu_count() or 1


def _cover_flags(args: argparse.Namespace) -> CoverFlags:
    from rag_app.errors import FilingError
    from rag_app.ingest import CoverFlags

    if args.latest is not None or args.tickers_file:
        raise FilingError("--latest and --tickers-file fetch from EDGAR; leave out them or PATH.")
    if args.year and not args.year.isdecimal():
        raise FilingError(f"--year {args.year} is no fiscal year of a file; give one: --year 2023.")
    year = int(args.year) if args.year else None
    return CoverFlags(args.ticker, args.form, year, args.period_end)


def _fetch(args: argparse.Namespace, settings: Settings) -> FetchReport:
    from rag_app.errors import EdgarError
    from rag_app.filings.edgar_fetch import FetchWatcher, fetch_filings
    from rag_app.filings.edgar_wanted import wanted_companies, wanted_filings

    if args.period_end:
        raise EdgarError("--period-end is for files; EDGAR itself says the period. Leave it out.")
    return fetch_filings(
        wanted_companies(args.ticker, args.tickers_file),
        wanted_filings(args.form or "10-K", args.year, args.latest),
        identity=settings.edgar_identity,
        home=settings.home,
        watcher=FetchWatcher(
            on_filing=lambda origin, new: print(f"{'fetched' if new else 'kept':<10} {origin}"),
            on_note=lambda note: print(f"note: {note}", file=sys.stderr),
        ),
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


def _facts(args: argparse.Namespace) -> int:
    from rag_app.facts import facts_json, facts_text, find_facts
    from rag_app.library import Library
    from rag_app.records import Filters

    library = Library(load_settings().home)
    found = find_facts(library, Filters(args.ticker, args.form, args.year), args.concept)
    if args.json:
        print(json.dumps(facts_json(found), indent=2, ensure_ascii=False))
    else:
        print(facts_text(found))
    return OK


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
    if args.filing:
        from rag_app.health import filing_health, health_text

        health = filing_health(Library(settings.home), args.filing)
        print(json.dumps(health, indent=2) if args.json else health_text(health))
        return OK
    spec = open_embedder(settings).spec
    status = library_status(Library(settings.home), spec, spec.check_dim(settings.dim))
    print(json.dumps(status, indent=2) if args.json else status_text(status))
    return OK


if __name__ == "__main__":
    sys.exit(main())
