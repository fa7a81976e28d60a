"""The arguments of `python -m rag_app`: its commands, their flags and their help."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from rag_app.ask_flags import add_filter_flags
from rag_app.cli import add_debug_flag
from rag_app.feedback_cli import add_feedback_command
from rag_app.upkeep import INDEX_NOTES, add_index_flags

EXAMPLES = """examples:
  python -m rag_app ingest data/sample/filings
  python -m rag_app ingest --ticker NVDA --form 10-K --year 2023
  python -m rag_app ask "What was NVIDIA's total revenue in fiscal 2023?" --ticker NVDA
  python -m rag_app ask "How did gross margin change?" --ticker NVDA AMD --year 2022-2023 --item 7
  python -m rag_app facts --ticker NVDA --concept Revenues --year 2023
  python -m rag_app index --dim 64
  python -m rag_app chat
  python -m rag_app serve --port 8502
  python -m rag_app mcp
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


def command_parser() -> argparse.ArgumentParser:
    """The parser; ``name`` tells which command was given, each has its own flags."""
    parser = argparse.ArgumentParser(
        prog="python -m rag_app",
        description="Chat with SEC filings: cited answers, checked figures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

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
        "--workers",
        type=int,
        metavar="N",
        help="processes that read files (default: all cores, or OMP_NUM_THREADS)",
    )
    ingest.add_argument(
        "--engine", default="local", help="what encodes: local or ray (default: %(default)s)"
    )
    ingest.add_argument(
        "--repair",
        action="store_true",
        help="read filings that are damaged, or were cut by another version, again from the "
        "library's own copies; no PATH",
    )
    edgar = ingest.add_argument_group("from EDGAR")
    edgar.add_argument("--latest", type=int, metavar="N", help="the newest N filings (default: 1)")
    edgar.add_argument(
        "--tickers-file", type=Path, metavar="FILE", help="a ticker or CIK a line, # for comments"
    )
    _add_progress_flag(ingest)
    _add_model_flags(ingest)

    remove = commands.add_parser(
        "remove",
        help="take filings out of the library",
        description="Take filings out of the library and of every index; `status` lists their "
        "keys. What was fetched from EDGAR stays in RAG_HOME/downloads.",
    )
    remove.add_argument("keys", nargs="+", metavar="KEY", help="such as NVDA_10-K_2023-01-29")
    _add_progress_flag(remove)
    _add_model_flags(remove)

    ask = commands.add_parser("ask", help="ask a question, get a cited answer")
    add_filter_flags(ask)
    ask.add_argument("--k", type=int, help="passages to answer from (default: 5)")
    _add_model_flags(ask)
    ask.add_argument("--json", action="store_true", help="print one JSON object")

    chat = commands.add_parser("chat", help="open the chat page on 127.0.0.1:8501")
    chat.add_argument("--port", type=int, default=8501)
    _add_model_flags(chat)

    facts = commands.add_parser("facts", help="list the XBRL facts of a concept")
    facts.add_argument("--concept", required=True, help="such as Revenues or us-gaap:Revenues")
    facts.add_argument("--ticker", default=(), help="only this company's filings")
    facts.add_argument("--form", default=(), help="only this form")
    facts.add_argument(
        "--year",
        nargs="+",
        default=[],
        metavar="YEAR",
        help="only filings of these fiscal years; a range too: 2021-2023 (a filing states earlier "
        "years beside its own)",
    )
    facts.add_argument("--json", action="store_true", help="print one JSON list")

    index = commands.add_parser(
        "index",
        help="bring an index up to the library; verify it; remove old ones",
        description="Bring the index of a model and dimension up to the library. No text is "
        "encoded again: a dimension is cut out of the stored vectors.",
        epilog=INDEX_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_model_flags(index)
    add_index_flags(index)

    status = commands.add_parser("status", help="library, model, dimension, indexes, disk use")
    _add_model_flags(status)
    status.add_argument("--filing", default="", metavar="KEY", help="how well one filing was read")
    status.add_argument("--json", action="store_true", help="print one JSON object")

    serve = commands.add_parser(
        "serve",
        help="an HTTP API on 127.0.0.1:8502",
        description="Serve ask, search, filings, passages, facts and health over HTTP; "
        "/openapi.json describes them. Away from loopback every request must carry the token that "
        "RAG_API_TOKEN sets.",
    )
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: loopback)"
    )
    serve.add_argument("--port", type=int, default=8502, help="0: any free one (default: 8502)")
    _add_model_flags(serve)

    mcp = commands.add_parser(
        "mcp",
        help="an MCP server, for language models",
        description="Serve search_filings, read_passage, get_fact and list_filings over MCP: on "
        "stdin and stdout, as a client starts it, or over HTTP on loopback with --port.",
    )
    mcp.add_argument("--port", type=int, metavar="PORT", help="serve http://127.0.0.1:PORT/mcp")
    _add_model_flags(mcp)

    for command in commands.choices.values():
        add_debug_flag(command)
    add_feedback_command(commands)
    return parser


def _add_progress_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--progress", type=Path, metavar="FILE", help="keep a JSON file of how far it is"
    )


def _add_model_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="a trained model's name, a folder, or a hub name")
    parser.add_argument("--dim", type=int, help="dimension to index and search at")
