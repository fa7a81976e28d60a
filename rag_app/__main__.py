"""CLI: ingest | remove | ask | chat | facts | index | status | feedback | serve | mcp."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag_app.arguments import command_parser
from rag_app.cli import OK, USER, open_all, open_index, run
from rag_app.settings import Settings, load_settings, processor_threads

if TYPE_CHECKING:
    from rag_app.filings.edgar_downloads import Origin
    from rag_app.filings.edgar_fetch import FetchReport
    from rag_app.progress_file import ProgressFile
    from rag_app.records import CoverFlags


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 2 for what the user can mend, 1 for a fault of ours."""
    args = command_parser().parse_args(argv)
    return run(COMMANDS[args.name], args)


def _ingest(args: argparse.Namespace) -> int:
    from rag_app.ingest import ingest
    from rag_app.progress import console_watcher, describe
    from rag_app.progress_file import ProgressFile
    from rag_app.records import NO_FLAGS

    if args.repair:
        from rag_app.upkeep import repair

        return repair(args)
    opened = open_all(args)
    progress = ProgressFile(args.progress)
    fetched = None if args.paths else _fetch(args, opened.settings, progress)
    with console_watcher(progress) as watcher:
        report = ingest(
            fetched.paths if fetched else args.paths,
            opened.library,
            opened.embedder,
            opened.dim,
            max_file_mb=opened.settings.max_file_mb,
            flags=NO_FLAGS if fetched else _cover_flags(args),
            workers=_workers(args.workers),
            engine=args.engine,
            watcher=watcher,
        )
    print(describe(report))
    failures = fetched.failures if fetched else {}
    for company, error in failures.items():
        print(f"error: {company}: {error}", file=sys.stderr)
    return USER if report.refused or report.broken_off or failures else OK


def _workers(asked: int | None) -> int:
    from rag_app.errors import RagError

    if asked is not None and asked < 1:
        raise RagError(f"--workers {asked} is no number of processes; give 1 or more.")
    return asked or processor_threads()


def _cover_flags(args: argparse.Namespace) -> CoverFlags:
    from rag_app.errors import FilingError
    from rag_app.records import CoverFlags

    if args.latest is not None or args.tickers_file:
        raise FilingError("--latest and --tickers-file fetch from EDGAR; leave out them or PATH.")
    if args.year and not args.year.isdecimal():
        raise FilingError(f"--year {args.year} is no fiscal year of a file; give one: --year 2023.")
    year = int(args.year) if args.year else None
    return CoverFlags(args.ticker, args.form, year, args.period_end)


def _fetch(args: argparse.Namespace, settings: Settings, progress: ProgressFile) -> FetchReport:
    from rag_app.errors import EdgarError
    from rag_app.filings.edgar_fetch import FetchWatcher, fetch_filings
    from rag_app.filings.edgar_wanted import wanted_companies, wanted_filings

    if args.period_end:
        raise EdgarError("--period-end is for files; EDGAR itself says the period. Leave it out.")
    progress.begin("fetching")

    def on_filing(origin: Origin, new: bool) -> None:
        print(f"{'fetched' if new else 'kept':<10} {origin}")
        progress.advance()

    return fetch_filings(
        wanted_companies(args.ticker, args.tickers_file),
        wanted_filings(args.form or "10-K", args.year, args.latest),
        identity=settings.edgar_identity,
        home=settings.home,
        watcher=FetchWatcher(
            on_filing=on_filing,
            on_note=lambda note: print(f"note: {note}", file=sys.stderr),
        ),
    )


def _ask(args: argparse.Namespace) -> int:
    from rag_app.ask_flags import question_and_filters

    question, filters = question_and_filters(args)
    opened = open_all(args, k=args.k, auto_filter=args.auto_filter)
    opened.library.check_filters(filters)
    opened.embedder.open_soon()  # the imports below take seconds

    from rag_app.answer import Reply
    from rag_app.chat.llm import open_llm
    from rag_app.index.retriever import served_retriever
    from rag_app.render import answer_json, sources_text

    snapshot = open_index(opened)
    settings = opened.settings
    retriever = served_retriever(snapshot, settings, filters)
    reply = Reply(
        question,
        retriever,
        open_llm(settings),
        auto_filter=settings.auto_filter,
        refuse_below=settings.refuse_below,
    )
    if reply.asked.by_itself:
        says = f"{reply.asked.says} (from the question; --no-auto-filter to search everything)"
        print(f"Searching {says}", file=sys.stderr)
    for note in reply.asked.notes:
        print(f"note: {note}", file=sys.stderr)
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
    from rag_app.ask_flags import check_named, years_named
    from rag_app.facts import facts_json, facts_text, find_facts
    from rag_app.library import Library
    from rag_app.records import Filters

    check_named({"ticker": args.ticker, "form": args.form})
    library = Library(load_settings().home)
    filters = Filters(args.ticker, args.form, years_named(args.year))
    found = find_facts(library, filters, args.concept)
    if args.json:
        print(json.dumps(facts_json(found), indent=2, ensure_ascii=False))
    else:
        print(facts_text(found))
    return OK


def _index(args: argparse.Namespace) -> int:
    from rag_app.upkeep import index

    return index(args)


def _status(args: argparse.Namespace) -> int:
    from rag_app.health import filing_health, health_text
    from rag_app.library import Library
    from rag_app.status import library_status, status_text

    if args.filing:
        health = filing_health(Library(load_settings().home), args.filing)
        print(json.dumps(health, indent=2) if args.json else health_text(health))
        return OK
    opened = open_all(args)
    status = library_status(opened.library, opened.embedder.spec, opened.dim)
    print(json.dumps(status, indent=2) if args.json else status_text(status))
    return OK


def _remove(args: argparse.Namespace) -> int:
    from rag_app.upkeep import remove

    return remove(args)


def _serve(args: argparse.Namespace) -> int:
    from rag_app.serve.launch import serve

    return serve(open_all(args), host=args.host, port=args.port)


def _mcp(args: argparse.Namespace) -> int:
    from rag_app.serve.launch import serve_mcp

    return serve_mcp(open_all(args), port=args.port)


def _feedback(args: argparse.Namespace) -> int:
    from rag_app.feedback_cli import feedback

    return feedback(args)


COMMANDS = {
    "ingest": _ingest,
    "remove": _remove,
    "ask": _ask,
    "chat": _chat,
    "facts": _facts,
    "index": _index,
    "status": _status,
    "feedback": _feedback,
    "serve": _serve,
    "mcp": _mcp,
}
"""What each command of ``arguments`` runs."""


if __name__ == "__main__":
    sys.exit(main())
