"""Encode on two local Ray nodes, then lose one in the middle: the same vectors as without Ray?

python tests/trial/ray_two_nodes.py data/sample/filings > eval/results/ray.md
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil
from ray._common.utils import reset_ray_address

from rag_app.index.embedder import Embedder
from rag_app.index.models import resolve_model
from rag_app.index.vectors import load_vectors
from rag_app.ingest import IngestWatcher, ingest
from rag_app.library import Library

sys.path.insert(0, str(Path(__file__).parent.parent))
from chroma_run import free_port

START_S = 300


class Node:
    """``ray start --block`` with one processor, in processes of its own."""

    def __init__(self, stack: ExitStack, *flags: str) -> None:
        ray = Path(sysconfig.get_path("scripts")) / "ray"
        command = [ray, "start", "--block", "--num-cpus=1", "--node-ip-address=127.0.0.1"]
        command += ["--object-store-memory=200000000", "--disable-usage-stats", *flags]
        # Two nodes of one machine would choose the same ports.
        command += ["--min-worker-port=0", "--max-worker-port=0"]
        command += [f"--dashboard-agent-listen-port={free_port()}"]
        self.said = stack.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115
        self.process = subprocess.Popen(command, stdout=self.said, stderr=subprocess.STDOUT)
        stack.callback(self.kill)

    def processes(self) -> list[psutil.Process]:
        """The node's daemons and workers."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def actors(self) -> int:
        """How many encoding actors run on the node."""
        found = 0
        for process in self.processes():
            try:
                found += "MapWorker" in " ".join(process.cmdline())
            except psutil.NoSuchProcess:
                continue
        return found

    def kill(self) -> None:
        """kill -9 of all of it, as when a machine is gone."""
        for process in self.processes():
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.kill()
        self.process.wait()


def main(folder: Path, model: str) -> int:
    """Print what was found; 1 when a vector differs or a node had no part in it."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints what it retries
    embedder = Embedder(resolve_model(model, Path("nowhere")))
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        alone = Library(Path(home) / "alone")
        local_s = encode(folder, alone, embedder, "local")[0]
        # A head asks for a token as soon as its account has one, and a client that names an address
        # sends none unless told to.
        token = Path(home) / "token"
        token.write_text(uuid.uuid4().hex)
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token))
        port = free_port()
        stack.callback(reset_ray_address)  # else the next `ray.init` asks the head that was killed
        head = Node(stack, "--head", f"--port={port}", "--include-dashboard=false")
        os.environ["RAY_ADDRESS"] = f"127.0.0.1:{port}"
        wait_for_nodes(head)
        second = Node(stack, f"--address=127.0.0.1:{port}")
        wait_for_nodes(head, second)

        both = Library(Path(home) / "both")
        seen = [0, 0]  # actors on the first and on the second node

        def look(done: int) -> None:
            seen[:] = [max(seen[0], head.actors()), max(seen[1], second.actors())]

        ray_s, chunks = encode(folder, both, embedder, "ray", look)

        lost = Library(Path(home) / "lost")
        at: list[int] = []

        def lose(done: int) -> None:
            if not at:
                at.append(second.actors())
                second.kill()

        lost_s, _ = encode(folder, lost, embedder, "ray", lose)
        rows = [
            ("local", local_s, "", 0.0),
            ("two nodes", ray_s, f"{seen[0]} and {seen[1]}", difference(alone, both, embedder)),
            (
                "the second node killed after the first filing",
                lost_s,
                f"{at[0]} on the node that was killed",
                difference(alone, lost, embedder),
            ),
        ]
    files = sum(1 for path in folder.iterdir() if path.is_file())
    print(
        "# Encoding on a Ray cluster of two local nodes",
        "",
        "`python tests/trial/ray_two_nodes.py FOLDER`: `ray start --head` and a second",
        "`ray start --address`, one processor each and a token, on one machine; times hold process",
        "starts, imports and the loading of a model in each actor, which a small library does not",
        "repay.",
        "",
        f"{files} files, {chunks} chunks, {embedder.spec.name}, ray "
        f"{importlib.metadata.version('ray')}",
        "",
        "| engine | seconds | actors seen | largest difference of a coordinate |",
        "|---|---:|---|---:|",
        *(f"| {name} | {took:.0f} | {actors} | {off:.1e} |" for name, took, actors, off in rows),
        sep="\n",
        file=out,
    )
    same = max(off for *_, off in rows) <= 1e-6
    return int(not (same and all(seen) and all(at)))


def encode(
    folder: Path, library: Library, embedder: Embedder, engine: str, on_encoded=lambda done: None
) -> tuple[float, int]:
    """Seconds and chunks of an ingest."""
    began = time.perf_counter()
    watcher = IngestWatcher(on_encoded=on_encoded)
    report = ingest([folder], library, embedder, 64, max_file_mb=50, engine=engine, watcher=watcher)
    assert report.encoded == report.chunk_count
    return time.perf_counter() - began, report.chunk_count


def wait_for_nodes(*nodes: Node) -> None:
    """Until the cluster has these nodes, asked from a process of its own."""
    ask = "import ray; ray.init(logging_level=40); print(sum(n['Alive'] for n in ray.nodes()))"
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True)
        if said.stdout.strip().endswith(str(len(nodes))):
            return
        for node in nodes:
            if node.process.poll() is not None:
                node.said.seek(0)
                raise RuntimeError(f"a node did not start: {node.said.read()[-2000:]}")
    raise RuntimeError(f"the cluster did not reach {len(nodes)} nodes: {said.stderr[-500:]}")


def difference(one: Library, other: Library, embedder: Embedder) -> float:
    """The largest difference of a coordinate over all filings, joined by chunk id."""
    largest = 0.0
    for key, version in one.versions().items():
        fingerprint = embedder.spec.fingerprint
        ids, left = load_vectors(one.vectors_path(key, version, fingerprint))
        found, right = load_vectors(other.vectors_path(key, version, fingerprint))
        row_of = {chunk_id: row for row, chunk_id in enumerate(found)}
        largest = max(largest, float(np.abs(left - right[[row_of[id_] for id_ in ids]]).max()))
    return largest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="minilm")
    args = parser.parse_args()
    sys.exit(main(args.folder, args.model))
