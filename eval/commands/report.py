"""``eval report``: reports as one page with charts, for people."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from eval.commands.flags import Commands, add_common_flags
from eval.files import prepare_out
from eval.metrics import METRICS
from eval.report import Report, load_report
from rag_app.cli import OK


def add_report(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "report",
        help="show reports as one page with charts",
        description="Write report.html (self-contained), report.md, summary.json and the charts as "
        "PNG and SVG. Of several reports the first is the base and the last the tuned model; a "
        "single one brings its base along where it was run with its baselines.",
    )
    parser.add_argument("reports", type=Path, nargs="+", help="reports of run, the base first")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument(
        "--metric",
        default="ndcg@10",
        choices=METRICS,
        help="metric of the charts (default: %(default)s)",
    )
    parser.add_argument(
        "--stages", type=Path, metavar="FILE", help="JSON of `eval stages --out`, to show them too"
    )
    parser.add_argument(
        "--latency",
        type=Path,
        metavar="FILE",
        help='JSON with your own timings, {"query_ms": {"128": 0.4}, "how": "..."} (default: an '
        "exact search of random vectors is timed now)",
    )
    add_common_flags(parser, run)


def _title(reports: Sequence[Report], metric: str) -> str:
    models = " beside ".join(report.model for report in reports)
    return f"{models}: {metric}, protocol {reports[-1].protocol}"


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from eval.latency import read_latency, time_search
    from eval.page import report_sections
    from eval.page_files import write_page
    from eval.stage_file import read_stages
    from eval.summary import write_summary
    from eval.systems import is_model

    reports = [load_report(path) for path in args.reports]
    stages = read_stages(args.stages) if args.stages else []
    prepare_out(args.out / "report.html")
    last = reports[-1]
    dims = sorted(int(name) for name in last.metrics if is_model(name) and name.isdigit())
    latency = read_latency(args.latency) if args.latency else time_search(dims, last.corpus)
    sections = report_sections(reports, args.metric, latency, stages)
    page = write_page(sections, _title(reports, args.metric), args.out)
    write_summary(reports, args.metric, latency, args.out)
    if args.json:
        print(json.dumps({"page": str(page), "files": sorted(map(str, args.out.iterdir()))}))
    else:
        print(f"Written to {page}; its charts stand beside it as PNG and SVG.")
    return OK
