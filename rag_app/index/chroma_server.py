"""Collections on a Chroma server: written, verified and dropped as those in directories are."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag_app.errors import ChromaServerError, IndexMismatch, RagError
from rag_app.index.chroma import (
    BATCH_ROWS,
    EMBEDDED,
    HNSW,
    SERVER_RECORD,
    DenseIndex,
    DenseStore,
    fill,
)
from rag_app.index.encoders import Vectors
from rag_app.sealed import write_whole

if TYPE_CHECKING:
    from chromadb.api.fastapi import FastAPI
    from chromadb.types import Collection as CollectionModel

    from rag_app.settings import Settings


REQUEST_BYTES = 16_000_000
"""Of one write, in which a coordinate travels as 5.3 bytes of base64."""


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """A ``DenseStore`` behind a URL. ``headers`` authenticate, and are shown nowhere.

    ``home/index/server/<collection>.json`` stands from before a collection is made until it is
    dropped, so that what a killed or failed build left on the server is found and dropped too.
    """

    home: Path
    url: str
    tenant: str
    database: str
    timeout_s: float
    headers: Mapping[str, str] = field(repr=False)

    @property
    def note(self) -> str:
        """A warning when the way to the server is open to others; empty otherwise."""
        lacks = [
            what
            for what, missing in (
                ("https", not self.url.startswith("https://")),
                ("an authentication header", not self.headers),
            )
            if missing
        ]
        if not lacks or is_loopback(self.url):
            return ""
        return (
            f"The Chroma server at {self.url} is reached without {' and without '.join(lacks)}: "
            "whoever reaches it can read, change and, on versions with CVE-2026-45829, run code. "
            "Put it behind a proxy with TLS and authentication, and set chroma_url and "
            "chroma_headers."
        )

    def write(self, folder: Path, name: str, chunk_ids: Sequence[str], vectors: Vectors) -> None:
        """As ``DenseStore.write``; ``folder`` gets the record that names the collection."""
        record = json.dumps({"collection": name, **self._address()}).encode()
        write_whole(self._records() / f"{name}.json", record)
        width = max(1, vectors.shape[1])
        with ServerIndex(self, name, create=True) as index:
            index.fill(chunk_ids, vectors, max(1, REQUEST_BYTES // (width * 6)))
            index.verify(chunk_ids, vectors)
        write_whole(folder / SERVER_RECORD, record)

    def open(self, folder: Path) -> DenseIndex:
        """As ``DenseStore.open``."""
        if not self.holds(folder):
            raise IndexMismatch(
                f"The index at {folder.parent} is not on the Chroma server that the settings "
                f"name ({self.url}); run `python -m rag_app index`."
            )
        return ServerIndex(self, _read(folder / SERVER_RECORD)["collection"])

    def holds(self, folder: Path) -> bool:
        """As ``DenseStore.holds``."""
        record = _read(folder / SERVER_RECORD)
        return bool(record.pop("collection", "")) and record == self._address()

    def prune(self) -> None:
        """Drop the collections of this home that no index names; none while the server is down."""
        named = {
            _read(path).get("collection")
            for path in (self.home / "index").glob(f"*/build-*/*/{SERVER_RECORD}")
        }
        for path in self._records().glob("*.json"):
            record = _read(path)
            name = record.pop("collection", "")
            if name in named or record != self._address():
                continue
            with suppress(ChromaServerError):  # tried again after the next build
                drop_collection(self, name)
                path.unlink()

    def _address(self) -> dict[str, str]:
        return {"url": self.url, "tenant": self.tenant, "database": self.database}

    def _records(self) -> Path:
        return self.home / "index" / "server"


def dense_store(settings: Settings) -> DenseStore:
    """Where the settings keep collections: on the server they name, or in directories."""
    if not settings.chroma_url:
        return EMBEDDED
    return ChromaServer(
        home=settings.home,
        url=settings.chroma_url,
        tenant=settings.chroma_tenant,
        database=settings.chroma_database,
        timeout_s=settings.chroma_timeout_s,
        headers={name: value.get_secret_value() for name, value in settings.chroma_headers.items()},
    )


class ServerIndex(DenseIndex):
    """A collection on a server. After a failure it asks again: a restarted server is used."""

    def __init__(self, server: ChromaServer, name: str, *, create: bool = False) -> None:
        """Open the collection ``name``, or make it.

        Raises:
            IndexMismatch: the server has no such collection.
            ChromaServerError: the server is down, slow, or refuses.
        """
        from chromadb import Collection

        self._server, self._where = server, f"{server.url}, collection {name},"
        with self._asking():
            self._api = _api(server)
            self._collection = Collection(
                self._api, _model(self._api, server, name, create=create), embedding_function=None
            )

    def fill(self, chunk_ids: Sequence[str], vectors: Vectors, rows: int) -> None:
        """Add (n, dim) vectors, at most ``rows`` and no more than the server takes at a time.

        Raises:
            ChromaServerError: the server failed.
        """
        with self._asking():
            taken = self._api.get_max_batch_size()
            rows = min(rows, BATCH_ROWS, taken if taken > 0 else BATCH_ROWS)
            fill(self._collection, chunk_ids, vectors, rows)

    def close(self) -> None:
        """Hang up."""
        self._api._session.close()

    def _failure(self, error: Exception) -> RagError:
        return _failure(self._server, self._where, error)


def drop_collection(server: ChromaServer, name: str) -> None:
    """Delete a collection; one that is gone already is no failure.

    Raises:
        ChromaServerError: the server is down, slow, or refuses.
    """
    from chromadb.errors import NotFoundError

    try:
        api = _api(server)
        with suppress(NotFoundError):
            api.delete_collection(name, tenant=server.tenant, database=server.database)
        api._session.close()
    except Exception as error:
        raise _failure(server, f"{server.url}, collection {name},", error) from error


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _api(server: ChromaServer) -> FastAPI:
    """Chroma's client below ``HttpClient``, which asks three questions without any time limit."""
    from chromadb.api.fastapi import FastAPI
    from chromadb.config import Settings, System

    system = System(
        Settings(
            anonymized_telemetry=False,
            chroma_server_host=server.url,
            chroma_server_http_port=0,  # demanded, and not used beside a whole URL
            chroma_server_headers=dict(server.headers),
        )
    )
    api = FastAPI(system)
    api._session.timeout = server.timeout_s
    return api


def _model(api: FastAPI, server: ChromaServer, name: str, *, create: bool) -> CollectionModel:
    """The server's record of a collection; no embedding function is stored, none is rebuilt."""
    if create:
        return api.create_collection(
            name, configuration={"hnsw": HNSW}, tenant=server.tenant, database=server.database
        )
    return api.get_collection(name, tenant=server.tenant, database=server.database)


def _failure(server: ChromaServer, where: str, error: Exception) -> RagError:
    import httpx
    from chromadb.errors import AuthorizationError, ChromaAuthError, NotFoundError

    begin = f"The Chroma server at {server.url}"
    if isinstance(error, httpx.TimeoutException):
        return ChromaServerError(
            f"{begin} did not answer within {server.timeout_s:g} s; ask again, or set "
            "chroma_timeout_s higher."
        )
    if isinstance(error, httpx.TransportError):
        return ChromaServerError(
            f"{begin} cannot be reached ({type(error).__name__}); start it (`chroma run`), or "
            "leave chroma_url out and run `python -m rag_app index`."
        )
    answer = error.__context__  # what stands behind an answer that is not Chroma's own
    status = answer.response.status_code if isinstance(answer, httpx.HTTPStatusError) else 0
    if status in (401, 403) or isinstance(error, AuthorizationError | ChromaAuthError):
        return ChromaServerError(f"{begin} refuses who asks; mend chroma_headers.")
    if isinstance(error, NotFoundError):
        return IndexMismatch(
            f"The index at {where} is gone from the server; run "
            "`python -m rag_app index --rebuild`."
        )
    what = f"HTTP {status}" if status else type(error).__name__
    return ChromaServerError(f"{begin} failed ({what}); see its log, and ask again.")


def _read(path: Path) -> dict[str, str]:
    """A record; empty when there is none or it is damaged."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}
