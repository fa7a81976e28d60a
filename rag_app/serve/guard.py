"""Before any route: the Host on loopback, the token, and how large a request may be."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
"""Bytes of a request: a question of 2,000 characters is well under it."""


class Guard:
    """An ASGI middleware that lets through what may be asked.

    ``hosts`` are the names under which the server may be called, without port; none: any. A page
    in the user's browser could else reach it under a name of its own (DNS rebinding). ``token`` is
    what every request must carry; none: it is not asked for.
    """

    def __init__(self, app: ASGIApp, *, token: str = "", hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal, body = self._refusal(Headers(scope=scope)), b""
        if refusal is None:
            read = await _read(receive)
            if read is None:
                refusal = _refuse(413, f"A request may have {MAX_BODY} bytes; ask a shorter one.")
            else:
                body = read
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replaying(body, receive), send)

    def _refusal(self, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if self._hosts and _without_port(host) not in self._hosts:
            return _refuse(400, f"Call the server by one of its names: {', '.join(self._hosts)}.")
        given = headers.get("authorization", "").partition(" ")
        if self._token and not (
            given[0].lower() == "bearer"
            and hmac.compare_digest(given[2].strip().encode(), self._token.encode())
        ):
            sentence = "Send the header `Authorization: Bearer TOKEN` with the server's api_token."
            return _refuse(401, sentence, {"WWW-Authenticate": "Bearer"})
        if int(headers.get("content-length") or 0) > MAX_BODY:  # h11 has held it to be digits
            return _refuse(413, f"A request may have {MAX_BODY} bytes; ask a shorter one.")
        return None


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large, whatever length its header gave."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            return None
    return body


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _refuse(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, headers)
