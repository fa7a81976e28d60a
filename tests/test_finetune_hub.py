"""Pushing to the hub: the real client against a loopback stand-in of the hub's API."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from finetune.__main__ import _training_parser, main
from finetune.hub import check_hub, push
from finetune.train_cli import _push
from rag_app.errors import TrainingError

TOKEN = "hf_of-the-test"


class Hub(ThreadingHTTPServer):
    """Takes every upload as a whole file, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hub)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.tokens: set[str | None] = set()
        self.created: list[dict[str, object]] = []
        self.files: dict[str, bytes] = {}
        self.broken = ""


class _Hub(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        if self.path == "/api/whoami-v2":
            self.server.tokens.add(self.headers["Authorization"])
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            self._answer({"name": "me"} if known else {}, 200 if known else 401)
        else:
            self._answer({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.broken and self.server.broken in self.path:
            self._answer({}, 403)
        elif self.path == "/api/repos/create":
            self.server.created.append(json.loads(body))
            self._answer({"url": f"{self.server.url}/me/mine"})
        elif self.path.endswith("/preupload/main"):
            paths = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]
            self._answer({"files": modes})
        elif self.path.endswith("/commit/main"):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.server.files[line["value"]["path"]] = base64.b64decode(
                        line["value"]["content"]
                    )
            commit = "1" * 40
            url = f"{self.server.url}/me/mine/commit/{commit}"
            self._answer({"commitUrl": url, "commitOid": commit})
        else:
            self._answer({})

    def _answer(self, record: dict[str, object], status: int = 200) -> None:
        content = json.dumps(record).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "mine"
    for name in (
        "README.md",
        "model.safetensors",
        "1_Pooling/config.json",
        "tokenizer.json",
        "train_config.json",
        "report_base.queries.jsonl",
        "logs/events.out.tfevents.host",
        "pytorch_model.bin",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}")
    return folder


def test_weights_and_card_are_pushed_and_what_names_local_paths_is_not(
    hub: Hub, folder: Path
) -> None:
    check_hub("me/mine")
    assert push(folder, "me/mine") == f"{hub.url}/me/mine"
    assert set(hub.files) == {
        "README.md",
        "model.safetensors",
        "1_Pooling/config.json",
        "tokenizer.json",
    }
    assert hub.files["model.safetensors"] == b"content of model.safetensors"
    assert hub.created[0]["visibility"] == "private"


def test_a_wrong_token_is_one_sentence_without_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(TrainingError, match=r"refuses the token \(HTTP 401\)") as raised:
        check_hub("me/mine")
    assert "hf_wrong" not in str(raised.value)
    assert hub.tokens == {"Bearer hf_wrong"}


def test_no_token_says_how_to_get_one(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(TrainingError, match="run `hf auth login` or set HF_TOKEN"):
        check_hub("me/mine")
    assert not hub.tokens


def test_no_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(TrainingError, match="The hub cannot be reached"):
        check_hub("me/mine")


@pytest.mark.parametrize("repo", ["mine", "a/b/c", "../x", "me/"])
def test_what_is_no_repository_is_refused(repo: str) -> None:
    with pytest.raises(TrainingError, match="is not the name of a hub repository"):
        check_hub(repo)


def test_a_push_that_fails_says_where_the_model_is(hub: Hub, folder: Path) -> None:
    hub.broken = "/commit/"
    with pytest.raises(TrainingError, match=f"{folder} could not be pushed to me/mine"):
        push(folder, "me/mine")
    assert (folder / "model.safetensors").exists()


def test_the_advice_uploads_what_the_push_would_have(hub: Hub, folder: Path) -> None:
    for name in ("seen.json", "promotion.json", "report_tuned.md", "curves.json"):
        (folder / name).write_text("of this machine")
    hub.broken = "/commit/"
    with pytest.raises(TrainingError) as raised:
        push(folder, "me/mine")
    hub.broken, hub.created = "", []
    advised = re.search("`(.+)`", str(raised.value))
    assert advised
    program, *words = shlex.split(advised[1])
    subprocess.run(
        [str(Path(sys.executable).with_name(program)), *words],
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"},
        capture_output=True,
        check=True,
    )
    uploaded, hub.files = hub.files, {}
    assert hub.created[0]["visibility"] == "private"
    push(folder, "me/mine")
    assert uploaded == hub.files


def test_nothing_is_pushed_without_the_flag(hub: Hub, folder: Path) -> None:
    parser = _training_parser()
    _push(parser.parse_args([]), folder)
    assert not hub.created
    assert not hub.files
    _push(parser.parse_args(["--push-to-hub", "me/mine"]), folder)
    assert "model.safetensors" in hub.files


def test_the_token_is_checked_before_training_and_only_with_the_flag(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", "absent.csv"]) == 2
    assert not hub.tokens
    assert main(["--data", "absent.csv", "--push-to-hub", "me/mine"]) == 2
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in capsys.readouterr().err
