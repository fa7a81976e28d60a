"""What the LLM told in one turn: its text, and the tools that it calls."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.llms import ChatResponse

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model calls, and its arguments as written: JSON, if all is well."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Told:
    """A whole turn of the model."""

    text: str
    calls: tuple[ToolCall, ...]


def told_by(response: ChatResponse | None) -> Told:
    """What the last response of a stream holds, such that it can be sent back.

    A name or an id that the protocol does not admit is replaced: a server would refuse it.
    """
    if response is None:
        return Told("", ())
    called = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    calls = tuple(_call(block, number) for number, block in enumerate(called, start=1))
    text = (response.message.content or "").encode("utf-8", "replace").decode("utf-8")
    return Told(text, calls)


def _call(block: ToolCallBlock, number: int) -> ToolCall:
    id_, written = block.tool_call_id or "", block.tool_kwargs
    return ToolCall(
        id=id_ if _ID.fullmatch(id_) else f"call_{number}",
        name=block.tool_name if _NAME.fullmatch(block.tool_name) else "unknown",
        arguments=written if isinstance(written, str) else json.dumps(written),
    )
