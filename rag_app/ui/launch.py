"""Start the app: the sample library the first time, then Streamlit on loopback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rag_app.cli import open_embedder, open_library
from rag_app.ingest import ingest
from rag_app.progress import console_watcher, describe
from rag_app.serve.launch import check_port
from rag_app.settings import Settings, child_environment

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "filings"
PAGES = Path(__file__).parent / "pages.py"

# Streamlit's defaults listen on every interface, take uploads of 200 MB, show stack traces to
# visitors and send usage statistics; their red accent looks like an error. A browser that answers
# no ping for a minute is cut off, in the middle of an answer too, and what was being sent to it
# ends in a traceback in the log; beside a training run a browser may be busy for longer.
SERVER_OPTIONS = {
    "server.address": "127.0.0.1",
    "server.showEmailPrompt": "false",
    "server.maxUploadSize": "50",
    "server.websocketPingInterval": "180",
    "server.fileWatcherType": "none",
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "browser.gatherUsageStats": "false",
    "theme.light.primaryColor": "#2f5d8a",
    "theme.dark.primaryColor": "#7fb0de",
}


def launch(settings: Settings, *, port: int) -> int:
    """Fill an empty library from the sample, then become the Streamlit server.

    Raises:
        ServeError: the port cannot be listened on.
        ModelError: the model does not exist or lacks the dimension.
        LibraryError: another process writes to the library.
    """
    check_port(port)
    embedder = open_embedder(settings)
    dim = embedder.spec.check_dim(settings.dim)
    library = open_library(settings)
    if not library.filings() and SAMPLE.is_dir():
        print(f"The library at {settings.home} is empty: reading the sample filings.")
        with console_watcher() as watcher:
            report = ingest(
                [SAMPLE],
                library,
                embedder,
                dim,
                max_file_mb=settings.max_file_mb,
                watcher=watcher,
            )
        print(describe(report))
    options = [f"--{name}={value}" for name, value in SERVER_OPTIONS.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(PAGES), f"--server.port={port}"]
    print(f"Chat: http://127.0.0.1:{port}", flush=True)
    os.execve(sys.executable, command + options, child_environment(settings))
