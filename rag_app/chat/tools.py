"""The tool ``calculate``: offered to the LLM, run by code, its result sent back.

Whether a server takes tools is found out by a trial, before its first answer: one short request
that tells the model to call the tool. To offer it and see would not do, since many servers drop
an offer without a word (llama.cpp, for a model whose template has no tools), and the model would
then compute by itself. Where no call comes back, the model writes expressions (``calculate.py``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import TextBlock, ToolCallBlock
from llama_index.core.llms import ChatMessage, MessageRole

from rag_app.chat.calculate import Calculation, calculated
from rag_app.chat.operands import why_not
from rag_app.chat.prompts import Form
from rag_app.chat.told import Told, ToolCall
from rag_app.errors import ToolsRefused

if TYPE_CHECKING:
    from rag_app.chat.llm import ChatLLM

NAME = "calculate"
OFFER: dict[str, Any] = {
    "tools": [
        {
            "type": "function",
            "function": {
                "name": NAME,
                "description": "Compute one arithmetic expression of figures as the passages "
                "print them.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "expression": {
                            "type": "string",
                            "description": "Figures, + - * / and parentheses; a % at the end asks "
                            "for a percentage. Example: (120 - 100) / 100 %",
                        }
                    },
                    "required": ["expression"],
                    "additionalProperties": False,
                },
            },
        }
    ],
}
MAX_ROUNDS = 4
"""Of calls and results; the turn behind the last one has to be text."""
TRIAL = "Call the tool calculate with the expression (120 - 100) / 100 %."
TRIAL_CHARACTERS = 400
"""A model that has said so much instead of calling the tool is not waited for."""
BAD_ARGUMENTS = (
    'Not computed: the arguments must be a JSON object like {"expression": "(120 - 100) / 100 %"}.'
)


def written(
    llm: ChatLLM,
    messages: Callable[[Form], list[ChatMessage]],
    passages: Sequence[str],
    done: list[Calculation],
) -> Iterator[str]:
    """The answer as it streams; ``done`` collects what the tool computed.

    A server that refuses the tool, or calls it for ever, is asked again without it in the same
    answer, and not offered it any more.

    Raises:
        LLMError: as ``ChatLLM.stream``.
    """
    try:
        if _takes_tools(llm):
            yield from _with_tool(llm, messages("tool"), passages, done)
            return
    except ToolsRefused:
        pass
    for piece in llm.stream(messages("expression")):
        llm.takes_tools = False  # only now: a request that fails without the tool too says nothing
        yield piece


def _takes_tools(llm: ChatLLM) -> bool:
    if llm.takes_tools is None:
        llm.takes_tools = _calls_when_told(llm)
    return llm.takes_tools


def _calls_when_told(llm: ChatLLM) -> bool:
    """Whether the model calls the tool, with arithmetic in it, when it is told to."""
    turn = llm.turn([ChatMessage(role=MessageRole.USER, content=TRIAL)], **OFFER)
    characters = 0
    try:
        while characters <= TRIAL_CHARACTERS:
            characters += len(next(turn))
    except StopIteration as end:
        return any(_computes(call) for call in end.value.calls)
    turn.close()
    return False


def _computes(call: ToolCall) -> bool:
    expression = _expression(call)
    try:
        return call.name == NAME and expression is not None and bool(calculated(expression))
    except ValueError:
        return False


def _with_tool(
    llm: ChatLLM, messages: list[ChatMessage], passages: Sequence[str], done: list[Calculation]
) -> Iterator[str]:
    """Turns of the model until one calls nothing."""
    said = False
    for round_ in range(MAX_ROUNDS + 1):
        last = {"tool_choice": "none"} if round_ == MAX_ROUNDS else {}
        told = yield from llm.turn(messages, **OFFER, **last)
        said = said or bool(told.text.strip())
        if not told.calls:
            break
        if last and not told.text.strip():
            raise llm.refused_tools()
        if told.text:
            yield " "
        messages = [*messages, *_exchange(told, passages, done)]
    if not said:
        raise llm.said_nothing()


def _exchange(
    told: Told, passages: Sequence[str], done: list[Calculation]
) -> Iterator[ChatMessage]:
    """A turn that calls, as it goes back to the server, and the result of each call."""
    called = [
        # Some servers read the arguments as JSON, so what is none goes back as an empty object.
        ToolCallBlock(
            tool_call_id=call.id,
            tool_name=call.name,
            tool_kwargs={} if (said := _expression(call)) is None else {"expression": said},
        )
        for call in told.calls
    ]
    yield ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text=told.text), *called])
    for call in told.calls:
        yield ChatMessage(
            role=MessageRole.TOOL,
            content=result(call, passages, done),
            additional_kwargs={"tool_call_id": call.id},
        )


def result(call: ToolCall, passages: Sequence[str], done: list[Calculation]) -> str:
    """What a call gives, or why nothing: the model reads it, nobody else.

    Only figures of the passages are computed, whoever told the model to call.
    """
    if call.name != NAME:
        return f"There is no such tool; the only one is {NAME}."
    expression = _expression(call)
    if expression is None:
        return BAD_ARGUMENTS
    try:
        calculation = calculated(expression, copied=True)
    except ValueError as error:
        return f"Not computed: {error}."
    if reason := why_not(calculation.operands, passages, "passage"):
        return f"Not computed: {reason}; put figures as printed into one expression."
    done.append(calculation)
    return calculation.text


def _expression(call: ToolCall) -> str | None:
    """The one argument; None where the arguments are not as they should be."""
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return None
    expression = arguments.get("expression") if isinstance(arguments, dict) else None
    return expression if isinstance(expression, str) else None
