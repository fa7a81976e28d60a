"""A loopback server that speaks OpenAI's streaming chat protocol, with answers set by the test."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from rag_app.chat.tools import TRIAL


@dataclass(frozen=True)
class Called:
    """In the place of a piece of text: a tool that the model calls."""

    arguments: str
    name: str = "calculate"
    id: str = "call_7"
    index: int | None = 0
    """As deltas carry it; none: left out, as some servers do."""
    named_later: bool = False
    """Its first delta has an id and no function."""
    in_characters: int = 5
    """The arguments are sent in pieces of so many."""


@dataclass
class StandIn:
    """What the server answers with, and what it was asked."""

    pieces: Sequence[str | Called] | Callable[[dict[str, Any]], Iterable[str | Called]] = (
        "Revenue was ",
        "$41 million [1].",
    )
    """Or what makes them of a request."""
    status: int = 200
    delay_s: float = 0.0
    """Before the first piece."""
    pause_s: float = 0.0
    """Behind each piece."""
    garbled: bytes = b""
    """Sent as an event behind the pieces, whatever it is."""
    break_after: int | None = None
    """Drop the connection after so many pieces."""
    tools: Literal["ignored", "refused", "taken"] = "ignored"
    """What becomes of tools that a request offers, in the trial too."""
    refusal: int = 400
    """The status of a request that is refused for its tools."""
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    trials: list[dict[str, Any]] = field(default_factory=list)
    """Requests that only try whether tools are called; ``pieces`` are not for them."""
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
            trial = request["messages"][-1]["content"] == TRIAL
            (answers.trials if trial else answers.requests).append(request)
            answers.keys.append(self.headers.get("Authorization", ""))
            if answers.status != 200:
                self._refuse(answers.status)
                return
            if "tools" in request and answers.tools == "refused":
                self._refuse(answers.refusal)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if trial:
                self._end("tool_calls" if self._send(_tried(answers)) else "stop")
                return
            time.sleep(answers.delay_s)
            pieces, called = answers.pieces, False
            for number, piece in enumerate(pieces(request) if callable(pieces) else pieces):
                if number == answers.break_after:
                    self.close_connection = True
                    return
                called |= self._send(piece)
                time.sleep(answers.pause_s)
            if answers.garbled:
                self._line(answers.garbled)
            self._end("tool_calls" if called else "stop")

        def _send(self, piece: str | Called) -> bool:
            """Send a piece in its deltas; whether it calls."""
            for delta in _deltas(piece):
                self._event(json.dumps(_chunk(delta, None)))
            return isinstance(piece, Called)

        def _end(self, reason: str) -> None:
            self._event(json.dumps(_chunk({}, reason)))
            self._event("[DONE]")
            self.wfile.write(b"0\r\n\r\n")

        def _refuse(self, status: int) -> None:
            # Servers are known to repeat the key in their message.
            message = f"no: {self.headers.get('Authorization', '')}"
            body = json.dumps({"error": {"message": message, "type": "x", "code": "y"}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _event(self, data: str) -> None:
            self._line(data.encode())

        def _line(self, data: bytes) -> None:
            line = b"data: " + data + b"\n\n"
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


def _tried(answers: StandIn) -> str | Called:
    """What the trial brings forth."""
    taken = answers.tools == "taken"
    return Called('{"expression": "(120 - 100) / 100 %"}') if taken else "I see no tool."


def _deltas(piece: str | Called) -> Iterator[dict[str, Any]]:
    """As OpenAI sends them: a call's name and id first, then its arguments bit by bit."""
    if isinstance(piece, str):
        yield {"role": "assistant", "content": piece}
        return
    place = {} if piece.index is None else {"index": piece.index}
    head: dict[str, Any] = {"id": piece.id, "type": "function"}
    name = {"function": {"name": piece.name, "arguments": ""}}
    if piece.named_later:
        yield {"role": "assistant", "content": None, "tool_calls": [place | head]}
        head = {}
    yield {"role": "assistant", "content": None, "tool_calls": [place | head | name]}
    for at in range(0, len(piece.arguments), piece.in_characters):
        part = piece.arguments[at : at + piece.in_characters]
        yield {"tool_calls": [place | {"function": {"arguments": part}}]}


def _chunk(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "stand-in",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
