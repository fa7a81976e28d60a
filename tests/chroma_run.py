"""The real Chroma server of the installed package, on loopback, for tests that need one."""

from __future__ import annotations

import socket
import subprocess
import sysconfig
import time
from pathlib import Path

import httpx

START_S = 300


class ChromaRun:
    """``chroma run`` on a port of its own; its data outlive a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        chroma = Path(sysconfig.get_path("scripts")) / "chroma"
        command = [chroma, "run", "--path", self.folder, "--host", "127.0.0.1"]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/api/v2/heartbeat", timeout=1).raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise RuntimeError(f"chroma run did not answer on {self.url}; see {self.folder}/log.txt")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def collections(self) -> set[str]:
        """The names of the collections on the server."""
        path = "tenants/default_tenant/databases/default_database/collections"
        return {each["name"] for each in httpx.get(f"{self.url}/api/v2/{path}").json()}


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
