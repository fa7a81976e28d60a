"""Row ``cold``: a cold ``python -m rag_app ask`` to its answer, against the imports it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.benches.clocks import ChildRun, median_of, run_child
from eval.benches.measured import Aim, Measured
from eval.benches.questions import questions_of
from eval.benches.workbench import Workbench, copy_filings
from rag_app.index.build import build_index
from rag_app.sealed import writer_lock

TIMES_THE_IMPORTS = 1.3

_NAME_MODULES = """
import json, pathlib, sys
out = pathlib.Path(sys.argv.pop(1))
from rag_app.__main__ import main
code = main(sys.argv[1:])
out.write_text(json.dumps([name for name, module in sys.modules.items() if module]))
sys.exit(code)
"""
"""Runs the command and writes which modules it imported, in the order in which that began."""
_IMPORT_THEM = """
import importlib, json, pathlib, sys
for name in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    try:
        importlib.import_module(name)
    except Exception:  # made while running, by no file of its own
        pass
"""


def time_cold(bench: Workbench) -> Measured:
    """Start fresh processes in turns: the whole command, and its imports alone.

    Raises:
        DataError: the command failed.
        LibraryError: the library is damaged.
    """
    question = questions_of(bench.library, 1)[0]
    fingerprint = bench.embedder.spec.fingerprint
    bench.embedder.encode_queries(["the model is converted before the clock starts"])
    with bench.home() as home:
        library = copy_filings(bench.library, home, fingerprint)
        with writer_lock(home):
            chunks = build_index(library, bench.embedder, bench.dim).chunk_count
        return time_command(
            ["ask", question],
            bench.environment(home),
            home / "modules.json",
            bench.sizes.rounds,
            f"`python -m rag_app ask` over {chunks} chunks, {bench.embedder.spec.name} at "
            f"{bench.dim} dimensions, encoder {bench.embedder.encoder.name}, no LLM unless the "
            "settings name one",
        )


def time_command(
    command: Sequence[str], environment: Mapping[str, str], modules: Path, rounds: int, what: str
) -> Measured:
    """Time a command of ``rag_app`` against importing the very modules that it imports.

    Raises:
        DataError: the command failed.
    """
    run_child(["-c", _NAME_MODULES, str(modules), *command], environment)  # files get cached
    taken: dict[str, list[ChildRun]] = {"imports": [], "whole": []}
    for _ in range(rounds):
        taken["imports"].append(run_child(["-c", _IMPORT_THEM, str(modules)], environment))
        taken["whole"].append(run_child(["-m", "rag_app", *command], environment))
    count = len(json.loads(modules.read_text()))
    both = {name: median_of([run.clocks for run in runs]) for name, runs in taken.items()}
    by_clock, by_processor = both["whole"] / both["imports"]
    return Measured(
        f"{what}: to the end of the process, against one that imports the same {count} modules; "
        f"rounds: {rounds}, each process cold but its files in memory.",
        {
            **{name: each.figures() for name, each in both.items()},
            "whole / imports": {"seconds": by_clock, "processor seconds": by_processor},
        },
        (Aim("times its imports", by_clock, TIMES_THE_IMPORTS, at_most=True),),
    )
