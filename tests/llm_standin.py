"""A loopback server that speaks OpenAI's streaming chat protocol, with answers set by the test."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class StandIn:
    """What the server answers with, and what it was asked."""

    pieces: Sequence[str] | Callable[[dict[str, Any]], Iterable[str]] = (
        "Revenue was ",
        "$41 million [1].",
    )
    """Or what makes them of a request."""
    status: int = 200
    delay_s: float = 0.0
    """Before the first piece."""
    pause_s: float = 0.0
    """Behind each piece."""
    break_after: int | None = None
    """Drop the connection after so many pieces."""
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@contextmanager
def llm_standin(answers: StandIn, port: int = 0) -> Iterator[StandIn]:
    """Serve until the block ends, on a free port if none is given; ``answers`` may be changed
    meanwhile.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            answers.requests.append(request)
            answers.keys.append(self.headers.get("Authorization", ""))
            if answers.status != 200:
                self._refuse()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            time.sleep(answers.delay_s)
            pieces = answers.pieces
            for number, piece in enumerate(pieces(request) if callable(pieces) else pieces):
                if number == answers.break_after:
                    self.close_connection = True
                    return
                self._event(json.dumps(_chunk({"role": "assistant", "content": piece}, None)))
                time.sleep(answers.pause_s)
            self._event(json.dumps(_chunk({}, "stop")))
            self._event("[DONE]")
            self.wfile.write(b"0\r\n\r\n")

        def _refuse(self) -> None:
            # Servers are known to repeat the key in their message.
            message = f"no: {self.headers.get('Authorization', '')}"
            body = json.dumps({"error": {"message": message, "type": "x", "code": "y"}}).encode()
            self.send_response(answers.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _event(self, data: str) -> None:
            line = f"data: {data}\n\n".encode()
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # the client gave up waiting, as one test wants
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    answers.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()


def _chunk(delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "stand-in",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
