"""The HTTP API: a real process over the real sample library, asked over loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from llm_standin import StandIn, llm_standin
from serving import served

from rag_app.__main__ import main
from rag_app.serve.guard import MAX_BODY

BACKLOG = "What was Larkspur's order backlog at the end of fiscal 2023?"
TOKEN = "larkspur-harbour-0042"
TIMEOUT_S = 300
"""Of one request: a busy machine is slow, not broken."""


@pytest.fixture(scope="module")
def answers() -> Iterator[StandIn]:
    with llm_standin(StandIn(pieces=["It was $94.6 mil", "lion [1]."])) as standin:
        yield standin


@pytest.fixture(scope="module")
def api(
    sample_home: Path, tmp_path_factory: pytest.TempPathFactory, answers: StandIn
) -> Iterator[httpx.Client]:
    """A client of a running API with the stand-in for its LLM."""
    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("api") / "home"))
    with (
        served(home, OPENAI_BASE_URL=answers.url, RAG_MODEL="minilm") as url,
        httpx.Client(base_url=url, timeout=TIMEOUT_S) as client,
    ):
        yield client


def events(body: str) -> list[tuple[str, dict[str, object]]]:
    """Name and data of server-sent events."""
    found = []
    for part in body.strip().split("\n\n"):
        name, data = part.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_ask_answers_with_citations_and_checked_figures(api: httpx.Client) -> None:
    asked = {"question": BACKLOG, "ticker": ["LKSP"], "year": [2023], "k": 3}
    got = api.post("/ask", json=asked)
    assert got.status_code == 200
    answer = got.json()
    assert answer["answer"] == "It was $94.6 million [1]."
    assert {hit["filing"] for hit in answer["hits"]} == {"LKSP_10-K_2023-12-31"}
    assert len(answer["hits"]) == 3
    assert answer["figures"][0]["text"] == "$94.6 million"


def test_a_stream_sends_the_text_as_it_is_written_then_the_whole(api: httpx.Client) -> None:
    with api.stream("POST", "/ask", json={"question": BACKLOG, "stream": True}) as got:
        assert got.headers["content-type"].startswith("text/event-stream")
        told = events(got.read().decode())
    assert [name for name, _ in told] == ["text", "text", "answer"]
    assert "".join(str(data["text"]) for _, data in told[:2]) == "It was $94.6 million [1]."
    assert told[2][1]["citations"]


def test_a_stream_that_breaks_ends_in_the_sentence(api: httpx.Client, answers: StandIn) -> None:
    answers.break_after = 1
    try:
        got = api.post("/ask", json={"question": BACKLOG, "stream": True})
    finally:
        answers.break_after = None
    assert got.status_code == 200
    name, data = events(got.text)[-1]
    assert name == "error"
    assert "cannot be reached or broke off" in str(data["error"])


def test_a_refused_key_is_502_before_anything_is_streamed(
    api: httpx.Client, answers: StandIn
) -> None:
    answers.status = 401
    try:
        got = api.post("/ask", json={"question": BACKLOG, "stream": True})
    finally:
        answers.status = 200
    assert got.status_code == 502
    assert "refused the key" in got.json()["error"]


def test_search_gives_passages_that_can_be_read_by_their_ids(api: httpx.Client) -> None:
    found = api.get("/search", params={"question": BACKLOG, "ticker": "LKSP", "k": 2}).json()
    assert [hit["rank"] for hit in found["hits"]] == [1, 2]
    first = found["hits"][0]
    passage = api.get(f"/passages/{first['chunk_id']}").json()
    assert passage["text"] == first["text"]
    assert passage["filing"].startswith("LKSP_10-K_")


def test_a_search_takes_filters_from_the_question_as_an_answer_does(api: httpx.Client) -> None:
    found = api.get("/search", params={"question": BACKLOG}).json()
    answer = api.post("/ask", json={"question": BACKLOG}).json()
    assert found["filters"] == answer["filters"] == {"ticker": ["LKSP"], "fiscal_year": [2023]}
    assert {hit["filing"] for hit in found["hits"]} == {"LKSP_10-K_2023-12-31"}


def test_filings_facts_and_health(api: httpx.Client) -> None:
    listed = api.get("/filings", params={"ticker": ["LKSP", "TSLT"], "year": 2023}).json()
    assert {one["ticker"] for one in listed["filings"]} == {"LKSP", "TSLT"}
    health = api.get("/health").json()
    assert (health["status"], health["filings"], health["model"]) == ("ok", 6, "minilm")
    assert api.get("/facts", params={"concept": "NoSuchConcept"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("GET", "/search?question=x&ticker=ZZZ", None, 404, "No filing in the library matches ZZZ"),
        ("GET", "/search?question=x&item=", None, 422, "`query.item.0` is wrong"),
        ("GET", "/search", None, 422, "`query.question` is wrong: Field required"),
        ("GET", "/passages/LKSP:1:0-1", None, 404, "No indexed filing holds the passage"),
        ("GET", "/nowhere", None, 404, "GET /nowhere: Not Found"),
        ("DELETE", "/ask", None, 405, "DELETE /ask: Method Not Allowed"),
        ("POST", "/ask", b"{", 422, "is wrong: JSON decode error"),
        ("GET", "/search?question=x&tickers=LKSP", None, 422, "did you mean `ticker`? The fields"),
        ("GET", "/filings?foo=1", None, 422, "no field `foo`; the fields here are ticker,"),
        ("GET", "/facts?concept=x&foo=1", None, 422, "There is no field `foo`"),
        ("GET", "/passages/x?foo=1", None, 422, "There is no field `foo`; leave it out"),
        ("GET", "/health?foo=1", None, 422, "There is no field `foo`"),
        ("GET", "/search?question=%3F%3F%3F", None, 422, "Ask a question in words."),
        ("POST", "/ask", b'{"question": "  "}', 422, "Ask a question in words."),
        ("POST", "/ask?ticker=LKSP", b'{"question": "x"}', 422, "There is no field `ticker`"),
        ("POST", "/ask", b'{"question": "\\ud800 x"}', 422, "`body.question` is wrong"),
        ("POST", "/ask", b'{"question": "x", "tickers": []}', 422, "did you mean `ticker`?"),
        ("POST", "/ask", b'{"question": "x", "k": 51}', 422, "less than or equal to 50"),
    ],
)
def test_an_error_is_one_sentence_with_its_status(
    method: str, path: str, body: bytes | None, status: int, sentence: str, api: httpx.Client
) -> None:
    headers = {"Content-Type": "application/json"} if body else {}
    got = api.request(method, path, content=body, headers=headers)
    assert got.status_code == status
    assert list(got.json()) == ["error"]
    assert sentence in got.json()["error"]


def test_a_request_beyond_the_limit_is_refused_whatever_it_says_of_its_size(
    api: httpx.Client,
) -> None:
    long = json.dumps({"question": "x" * MAX_BODY}).encode()
    assert api.post("/ask", content=long).status_code == 413
    pieces = (long[start : start + 4096] for start in range(0, len(long), 4096))  # chunked
    assert api.post("/ask", content=pieces).status_code == 413
    assert api.post("/ask", json={"question": "x" * 2001}).status_code == 422


def test_a_page_that_renames_the_server_reaches_nothing(api: httpx.Client) -> None:
    got = api.get("/filings", headers={"Host": "evil.example"})
    assert got.status_code == 400
    assert "Call the server by one of its names" in got.json()["error"]
    assert api.post("/ask", content=b'{"question": "x"}').status_code == 422, "no simple requests"


def test_requests_at_once_do_not_cross(api: httpx.Client) -> None:
    wanted = [("LKSP", 2023), ("TSLT", 2023), ("LKSP", 2024), ("BRWG", None)] * 5

    def ask(about: tuple[str, int | None]) -> set[tuple[str, int | None]]:
        ticker, year = about
        years = {"year": [year]} if year else {}
        body = {"question": f"What did {ticker} earn?", "ticker": [ticker], "k": 3, **years}
        hits = api.get("/search", params=body).json()["hits"]
        got = {(hit["ticker"], hit["fiscal_year"] if year else None) for hit in hits}
        answer = api.post("/ask", json=body).json()
        assert answer["searched_for"] == body["question"]
        assert {hit["filing"].split("_")[0] for hit in answer["hits"]} == {ticker}
        return got

    with ThreadPoolExecutor(max_workers=10) as pool:
        assert list(pool.map(ask, wanted)) == [{about} for about in wanted]


def test_the_openapi_document_is_what_the_api_does(api: httpx.Client) -> None:
    schema = schemathesis.openapi.from_url(f"{api.base_url}/openapi.json")
    paths = set(schema.raw_schema["paths"])
    assert paths == {"/ask", "/search", "/filings", "/passages/{chunk_id}", "/facts", "/health"}

    for found in schema.get_all_operations():

        @given(case=found.ok().as_strategy())
        @settings(
            max_examples=8,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def holds(case: schemathesis.Case) -> None:
            case.call_and_validate(timeout=TIMEOUT_S)

        holds()


def test_a_token_is_asked_for_where_one_is_set(home_copy: Path) -> None:
    with (
        served(home_copy, RAG_API_TOKEN=TOKEN, RAG_MODEL="minilm") as url,
        httpx.Client(base_url=url, timeout=TIMEOUT_S) as client,
    ):
        for headers in ({}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer no"}):
            got = client.get("/health", headers=headers)
            assert got.status_code == 401
            assert got.headers["www-authenticate"] == "Bearer"
            assert TOKEN not in got.text
        assert client.get("/openapi.json").status_code == 401
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert client.get("/health").json()["llm"] == "none"
        document = client.get("/openapi.json").json()
        assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
        quoted = client.post("/ask", json={"question": BACKLOG, "ticker": ["LKSP"]}).json()
        assert "$94.6 million" in quoted["answer"]


@pytest.mark.parametrize(
    ("flags", "token", "sentence"),
    [
        (["--host", "0.0.0.0"], "", "every request has to carry a token: set RAG_API_TOKEN"),
        (["--host", "0.0.0.0"], "short", "RAG_API_TOKEN is short"),
        (["--host", "192.0.2.7"], TOKEN, "192.0.2.7:8502 cannot be listened on"),
    ],
)
def test_what_must_not_start_is_one_sentence(
    flags: list[str],
    token: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_API_TOKEN", token)
    assert main(["serve", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert sentence in line
