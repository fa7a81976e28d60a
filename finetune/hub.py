"""A model folder to a repository on the hub, and only when it was asked for by its flag."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from rag_app.errors import TrainingError

UPLOADED = (
    "README.md",
    "model*.safetensors",
    "numeric_heads.safetensors",
    "curves.png",
    "leakage.txt",
    "modules.json",
    "matryoshka.json",
    "config*.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer*",
    "vocab.*",
    "merges.txt",
    "[0-9]*_*/*",
)
"""What a reader of the model needs. The config, reports and logs stay: they name local paths."""


def check_hub(repo: str) -> None:
    """Ask the hub who we are, before a training run whose end would be the first to know.

    The token is the hub client's own (``hf auth login``, or HF_TOKEN).

    Raises:
        TrainingError: ``repo`` is no repository's name, there is no token, the hub refuses it, or
            it cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", repo):
        raise TrainingError(f"{repo} is not the name of a hub repository; give OWNER/NAME.")
    try:
        HfApi().whoami()
    except LocalTokenNotFoundError:
        raise TrainingError(
            "--push-to-hub needs a token of the hub; run `hf auth login` or set HF_TOKEN."
        ) from None
    except HfHubHTTPError as error:
        raise TrainingError(
            f"The hub refuses the token (HTTP {error.response.status_code}); run `hf auth login` "
            "with one that may write."
        ) from None
    except Exception as error:
        raise TrainingError(
            f"The hub cannot be reached ({type(error).__name__}); check the network, or train "
            "without --push-to-hub."
        ) from None


def push(folder: Path, repo: str) -> str:
    """Upload a model folder, weights as safetensors and the card; returns its address.

    A new repository is private: its owner decides who sees it.

    Raises:
        TrainingError: the upload failed; the model stays where it is.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        url = api.create_repo(repo, private=True, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            allow_patterns=list(UPLOADED),
            commit_message=f"Upload {folder.name}",
        )
    except Exception as error:
        only = " ".join(f"--include {shlex.quote(pattern)}" for pattern in UPLOADED)
        raise TrainingError(
            f"{folder} could not be pushed to {repo} ({type(error).__name__}); it is whole on this "
            "machine. When the hub answers: "
            f"`hf upload {repo} {folder} --private {only}`."
        ) from None
    return str(url)
