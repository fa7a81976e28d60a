"""Start the HTTP API or the MCP server: on loopback unless told, elsewhere only with a token."""

from __future__ import annotations

import ipaddress
import socket
import sys

from rag_app.cli import Opened
from rag_app.errors import ServeError

LOOPBACK = "127.0.0.1"
MIN_TOKEN = 16
MAX_PORT = 65535
HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""The names by which a server on loopback may be called."""


def serve(opened: Opened, *, host: str, port: int) -> int:
    """Serve the HTTP API until it is stopped.

    Raises:
        ServeError: the host is not loopback and there is no token, the token is short, or the
            address cannot be listened on.
        RagError: the library, the model or the LLM cannot be used.
    """
    token = opened.settings.api_token.get_secret_value().strip()
    local = is_loopback(host)
    if not token and not local:
        raise ServeError(
            f"{host} can be reached from other machines, so every request has to carry a token: "
            "set RAG_API_TOKEN, or leave out --host."
        )
    if token and len(token) < MIN_TOKEN:
        raise ServeError(f"RAG_API_TOKEN is short; give {MIN_TOKEN} random characters or more.")
    listening = _listen(host, port)
    # Late, so that what is wrong with the flags is said at once.
    import uvicorn

    from rag_app.chat.llm import open_llm
    from rag_app.serve.api import make_app
    from rag_app.serve.engine import Engine

    engine = Engine(opened, open_llm(opened.settings))
    engine.warm_up()
    app = make_app(engine, token=token, hosts=HOSTS if local else ())
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )
    shown = f"[{host}]" if ":" in host else host
    print(f"API: http://{shown}:{listening.getsockname()[1]} (see /openapi.json)", flush=True)
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def serve_mcp(opened: Opened, *, port: int | None) -> int:
    """Serve MCP over stdin and stdout, or over HTTP on loopback where a port is given.

    Raises:
        ServeError: the port cannot be listened on.
        RagError: the library or the model cannot be used.
    """
    if port is not None:
        check_port(port)
    from rag_app.serve.engine import Engine
    from rag_app.serve.mcp_server import make_mcp_server

    server = make_mcp_server(Engine(opened, None))
    if port is None:
        server.run("stdio")
    else:
        print(f"MCP: http://{LOOPBACK}:{port}/mcp", file=sys.stderr, flush=True)
        server.run("streamable-http", host=LOOPBACK, port=port)
    return 0


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_port(port: int) -> None:
    """Hold a port of loopback to be free, for a server that says so badly itself.

    Raises:
        ServeError: there is no such port, or another program listens on it.
    """
    if not 1 <= port <= MAX_PORT:
        raise ServeError(f"--port {port} is no port; give a number from 1 to {MAX_PORT}.")
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        raise ServeError(
            f"{LOOPBACK}:{port} cannot be listened on ({error.strerror}); give another --port."
        ) from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise ServeError(
            f"{host}:{port} cannot be listened on ({error}); give another --port or --host."
        ) from None
