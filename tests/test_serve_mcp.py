"""The MCP server, asked by the SDK's own client over stdio, over the real sample library."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

TOOLS = {"search_filings", "read_passage", "get_fact", "list_filings"}
BACKLOG = "What was Larkspur's order backlog at the end of fiscal 2023?"


def with_client(home: Path, act: Callable[[Client], Awaitable[None]]) -> None:
    """Start the server as a client does, and act."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag_app", "mcp", "--model", "minilm"],
        env={**os.environ, "RAG_HOME": str(home)},
    )

    async def run() -> None:
        with anyio.fail_after(300):
            async with Client(server) as client:
                await act(client)

    anyio.run(run)


def records(result: CallToolResult) -> Any:
    """What a tool returned."""
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content.get("result", result.structured_content)


def sentence(result: CallToolResult) -> str:
    """What a tool that failed said."""
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def test_the_tools_search_read_and_list_over_stdio(home_copy: Path) -> None:
    async def act(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        assert all(tool.description and tool.annotations for tool in tools)
        assert all(tool.annotations.read_only_hint for tool in tools if tool.annotations)

        listed = records(await client.call_tool("list_filings", {"ticker": ["LKSP"]}))
        assert [one["fiscal_year"] for one in listed] == [2023, 2024]

        asked = {"question": BACKLOG, "ticker": ["LKSP"], "year": [2023], "k": 3}
        found = records(await client.call_tool("search_filings", asked))
        assert found["filters"] == {"ticker": ["LKSP"], "fiscal_year": [2023]}
        hits = found["hits"]
        assert [hit["rank"] for hit in hits] == [1, 2, 3]
        assert any("$94.6 million" in hit["text"] for hit in hits)

        chunk_id = hits[0]["chunk_id"]
        passage = records(await client.call_tool("read_passage", {"chunk_id": chunk_id}))
        assert passage["text"] == hits[0]["text"]

    with_client(home_copy, act)


def test_a_failure_reaches_the_model_as_its_sentence(home_copy: Path) -> None:
    async def act(client: Client) -> None:
        gone = await client.call_tool("read_passage", {"chunk_id": "LKSP:1:0-1"})
        assert "take an id from a search" in sentence(gone)
        nobody = await client.call_tool("search_filings", {"question": "x", "ticker": ["ZZZ"]})
        assert "No filing in the library matches ZZZ" in sentence(nobody)
        other = await client.call_tool("search_filings", {"question": "Tesla's deliveries"})
        assert "No filing of Tesla (TSLA) is in the library" in sentence(other)
        no_fact = await client.call_tool("get_fact", {"concept": "NoSuchConcept"})
        assert sentence(no_fact)
        wrong = await client.call_tool("search_filings", {"question": "x", "k": 51})
        assert sentence(wrong) == "`k` is wrong: Input should be less than or equal to 50."
        empty = await client.call_tool("search_filings", {"question": "???"})
        assert sentence(empty) == "Ask a question in words."
        unset = await client.call_tool("list_filings", {"ticker": [""]})
        assert sentence(unset).startswith("`ticker.0` is wrong: String should have at least 1")

    with_client(home_copy, act)


def test_a_misspelt_argument_is_refused_by_every_tool(home_copy: Path) -> None:
    async def act(client: Client) -> None:
        assert client.server_info.version == version("filings-rag")
        asked = {"question": "revenue", "tickers": ["LKSP"]}
        refused = await client.call_tool("search_filings", asked)
        assert sentence(refused) == (
            "There is no field `tickers`; did you mean `ticker`? The fields here are question, "
            "ticker, form, year, item, k."
        )
        for tool in (await client.list_tools()).tools:
            assert tool.input_schema["additionalProperties"] is False
        for name, given in (
            ("list_filings", {"bogus": 1}),
            ("get_fact", {"concept": "Revenues", "bogus": 1}),
            ("read_passage", {"chunk_id": "x", "bogus": 1}),
        ):
            assert "no field `bogus`" in sentence(await client.call_tool(name, given))

    with_client(home_copy, act)


def test_the_words_of_a_question_filter_a_search_as_they_do_an_answer(home_copy: Path) -> None:
    async def act(client: Client) -> None:
        found = records(await client.call_tool("search_filings", {"question": BACKLOG}))
        assert found["filters"] == {"ticker": ["LKSP"], "fiscal_year": [2023]}
        assert {hit["filing"] for hit in found["hits"]} == {"LKSP_10-K_2023-12-31"}

    with_client(home_copy, act)


def test_facts_are_exact(shared_data: Path, tmp_path: Path) -> None:
    """One real filing, stored without vectors: facts need none."""
    from rag_app.filings.batch import read_files
    from rag_app.filings.chunks import CHUNKER_VERSION
    from rag_app.filings.edgar_read import read_fetched
    from rag_app.library import Library
    from rag_app.records import NO_FLAGS

    path = shared_data / "filings/NVDA_10-Q_2025-07-27.html"
    library = Library(tmp_path / "home")
    for file in read_files([path], lambda p: read_fetched(p, max_bytes=10**8, flags=NO_FLAGS), 1):
        library.add(file.parsed, file.chunks, file.path, CHUNKER_VERSION)

    async def act(client: Client) -> None:
        facts = records(await client.call_tool("get_fact", {"concept": "Revenues", "limit": 3}))
        assert len(facts) == 3
        assert facts[0]["value"] == "90805000000", "six months before three"
        assert facts[0]["unit"] == "USD"
        assert facts[0]["chunk_id"].startswith("NVDA_10-Q_2025-07-27:")

    with_client(tmp_path / "home", act)


def test_over_http_it_listens_on_loopback(home_copy: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "rag_app", "mcp", "--port", str(port), "--model", "minilm"]
    process = subprocess.Popen(
        command, env={**os.environ, "RAG_HOME": str(home_copy)}, stderr=subprocess.DEVNULL
    )

    async def ask() -> None:
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS

    try:
        deadline = time.monotonic() + 90
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < deadline:
            time.sleep(0.3)
        anyio.run(ask)
    finally:
        process.terminate()
        process.wait(timeout=30)
