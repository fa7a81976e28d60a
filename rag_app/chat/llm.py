"""Settings to a LlamaIndex LLM: an OpenAI-compatible server, a local one, or none."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag_app.chat.local_server import CONTEXT_TOKENS, packaged_gguf, started
from rag_app.errors import EmptyAnswer, LLMError, ToolsRefused
from rag_app.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage, ChatResponse
    from llama_index.llms.openai_like import OpenAILike

    from rag_app.chat.told import Told

OPENAI_URL = "https://api.openai.com/v1"
MAX_ANSWER_TOKENS = 400
REFUSES_TOOLS = {400, 404, 422, 500, 501}
"""How servers refuse a request for its tools: OpenAI, vLLM and Ollama with 400, OpenRouter with
404, FastAPI's with 422, llama.cpp without --jinja with 500."""


def open_llm(settings: Settings) -> ChatLLM | None:
    """The LLM that the settings choose; None in quote mode.

    Raises:
        LLMError: OpenAI's key is missing, the local server is not installed, or its model file is
            missing.
    """
    return LLMS[settings.llm_kind](settings)


def missing_key(settings: Settings) -> str:
    """One sentence where OpenAI itself would be asked without a key; else empty."""
    key = settings.openai_api_key.get_secret_value().strip()
    if settings.llm_kind != "openai" or key or settings.openai_base_url:
        return ""
    return (
        "RAG_LLM=openai needs OPENAI_API_KEY; set it, or OPENAI_BASE_URL for a server of your own, "
        "or RAG_LLM=none to read quotes."
    )


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

    def __init__(
        self, name: str, url: str, key: str, timeout_s: float, takes_tools: bool | None = None
    ) -> None:
        """``takes_tools``: whether it calls tools that it is offered; none: not known yet."""
        self.name = name
        self.takes_tools = takes_tools
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
        told = yield from self.turn(messages)
        if not told.text.strip():
            raise self.said_nothing()

    def turn(self, messages: Sequence[ChatMessage], **offer: Any) -> Generator[str, None, Told]:
        """One turn: its text as ``stream`` gives it, perhaps none, and the tools that are called.

        ``offer`` holds the protocol's ``tools`` and ``tool_choice``.

        Raises:
            ToolsRefused: the server does not take the offer, or calls tools unreadably.
            LLMError: as ``stream``, but for a turn that says nothing.
        """
        from rag_app.chat.told import told_by

        response: ChatResponse | None = None
        with (
            self._plain_errors(),
            self._tools_refused(offered=bool(offer)),
            self._open_client() as client,
        ):
            for response in client.stream_chat(list(messages), **offer):
                yield response.delta or ""
        return told_by(response)

    def said_nothing(self) -> EmptyAnswer:
        """The error of an answer without a word."""
        return EmptyAnswer(
            f"The LLM {self.name} at {self.url} gave an empty answer; ask again, or set "
            "RAG_LLM_MODEL to another model."
        )

    @contextmanager
    def _tools_refused(self, *, offered: bool) -> Iterator[None]:
        """Tell a request that is refused for its tools, or may be, from one that fails anyway."""
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            if offered and error.status_code in REFUSES_TOOLS:
                raise self.refused_tools() from None
            raise
        except (AssertionError, AttributeError, TypeError):
            # What LlamaIndex stumbles with over calls in pieces without their index or function.
            if offered:
                raise self.refused_tools() from None
            raise

    def refused_tools(self) -> ToolsRefused:
        """The error of a server that cannot be offered tools."""
        return ToolsRefused(f"The LLM server at {self.url} does not take tools; ask without them.")

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
        except (ValueError, AttributeError, TypeError, LookupError, RecursionError) as error:
            # What the client stumbles with over a stream that is not the protocol's.
            raise LLMError(
                f"The LLM server at {self.url} sent what is no answer ({type(error).__name__}); "
                "try again, or set OPENAI_BASE_URL to a server that speaks OpenAI's protocol."
            ) from None


def _openai(settings: Settings) -> ChatLLM:
    if missing := missing_key(settings):
        raise LLMError(missing)
    return ChatLLM(
        name=settings.llm_model,
        url=settings.openai_base_url or OPENAI_URL,
        key=settings.openai_api_key.get_secret_value(),
        timeout_s=settings.llm_timeout_s,
    )


def _local(settings: Settings) -> ChatLLM:
    model = settings.llm_gguf or packaged_gguf()
    if not model.is_file():
        raise LLMError(f"The model file {model} does not exist; set RAG_LLM_GGUF to a GGUF file.")
    server = started(model)
    return ChatLLM(
        name=model.stem,
        url=server.url,
        key=server.key,
        timeout_s=settings.llm_timeout_s,
        takes_tools=None if server.shows_tools else False,
    )


def _none(settings: Settings) -> None:
    return None


LLMS: dict[str, Callable[[Settings], ChatLLM | None]] = {
    "openai": _openai,
    "local": _local,
    "none": _none,
}
