"""Whether the LLM server answers, asked without waiting for it: a page must not hang on it."""

from __future__ import annotations

import threading
import time

from rag_app.chat.llm import OPENAI_URL, missing_key, without_login
from rag_app.settings import Settings

CHECK_S = 3.0
"""How long a server may take over the list of its models."""
WAIT_S = 1.0
"""How long a page waits for that; a server on the same machine needs milliseconds."""
FRESH_S, TROUBLE_FRESH_S = 30.0, 5.0
"""For how long what was found is taken for true."""
NO_LIST = {404, 405, 501}
"""Statuses of a server that keeps no list of models; it is there."""


def llm_trouble(settings: Settings, timeout_s: float = CHECK_S) -> str:
    """Why the LLM cannot answer now, in one sentence; empty if nothing speaks against it.

    Only a server is asked: a local model is started by the first question.
    """
    import httpx

    if settings.llm_kind != "openai":
        return ""
    if missing := missing_key(settings):
        return missing
    url = settings.openai_base_url or OPENAI_URL
    key = settings.openai_api_key.get_secret_value().strip()
    server = f"The LLM server at {without_login(url)}"
    try:
        status = httpx.get(
            f"{url.rstrip('/')}/models",
            headers={"Authorization": f"Bearer {key or 'none'}"},
            timeout=timeout_s,
        ).status_code
    except UnicodeEncodeError:
        return "OPENAI_API_KEY holds characters that no key has; copy the key again."
    except httpx.TimeoutException:
        return f"{server} does not answer; wait until it does, or set RAG_LLM=none to read quotes."
    except (httpx.HTTPError, httpx.InvalidURL):
        return f"{server} cannot be reached; start it, or set RAG_LLM=none to read quotes."
    if status in (401, 403):
        return f"{server} refused the key; set OPENAI_API_KEY to a valid one."
    if status == 429:
        return f"{server} refuses more requests for now (429); wait, or check the account's quota."
    if status >= 400 and status not in NO_LIST:
        return f"{server} answers with status {status}; see its log."
    return ""


class LLMStatus:
    """What was found last of one server, looked up again in the background; for all sessions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._check: threading.Thread | None = None
        self._trouble: str | None = None
        self._found_at = 0.0

    def trouble(self, wait_s: float = WAIT_S) -> str | None:
        """As ``llm_trouble``; None where nothing was heard within ``wait_s``."""
        with self._lock:
            if self._check is None or not (self._check.is_alive() or self._is_fresh()):
                self._check = threading.Thread(target=self._look, daemon=True)
                self._check.start()
            check = self._check
        if self._trouble != "":  # a server that answered is taken to answer still
            check.join(wait_s)
        return self._trouble

    def forget(self) -> None:
        """Believe what was found no longer: look again, and wait for it, at the next time."""
        with self._lock:
            self._check, self._trouble = None, None

    def _is_fresh(self) -> bool:
        kept_s = TROUBLE_FRESH_S if self._trouble else FRESH_S
        return time.monotonic() - self._found_at < kept_s

    def _look(self) -> None:
        self._trouble = llm_trouble(self._settings)
        self._found_at = time.monotonic()
