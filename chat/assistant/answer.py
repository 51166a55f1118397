"""Writing one answer: ask the model, do what it asks for, ask again with what was found."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from chat.assistant.llm import LLM, ToolCall, Usage
from chat.assistant.prompt import prompt
from chat.assistant.tools import TOOLS, use
from chat.assistant.tools.types import Tool
from chat.assistant.writer import DraftWriter
from chat.protocol import ToolStarted
from chat.sessions.types import JSON, Session

#: How often the model may ask for tools before it must answer with what it has.
MAX_TOOL_ROUNDS = 4
MAX_CALLS_A_ROUND = 4


async def write_answer(
    llm: LLM,
    session: Session,
    question_id: str,
    writer: DraftWriter,
    *,
    deadline: float,
    tools: tuple[Tool, ...] = TOOLS,
) -> None:
    """Have the model answer the question, into ``writer``. Cancelling closes its stream.

    Raises:
        AssistantUnavailable: as ``LLM.stream``.
        AnswerTooLong: the model did not come to an end.
    """
    messages = prompt(session, question_id)
    schemas = [tool.schema for tool in tools]
    for round_ in range(MAX_TOOL_ROUNDS + 1):
        offered = schemas if round_ < MAX_TOOL_ROUNDS else []
        calls: tuple[ToolCall, ...] = ()
        async with aclosing(llm.stream(messages, offered, deadline=deadline)) as chunks:
            async for chunk in chunks:
                match chunk:
                    case str():
                        await writer.add(chunk)
                    case Usage():
                        writer.count(chunk)
                    case _:
                        calls = chunk
        if not calls or not offered:
            break
        messages += await _looked_up(calls[:MAX_CALLS_A_ROUND], session, tools, writer.tool)
    await writer.say()


async def _looked_up(
    calls: tuple[ToolCall, ...],
    session: Session,
    tools: tuple[Tool, ...],
    announce: Callable[[ToolStarted], Awaitable[None]],
) -> list[JSON]:
    """Return the messages that tell the model what its calls found."""
    asked: JSON = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ],
    }
    found: list[JSON] = [asked]
    by_name = {tool.name: tool for tool in tools}
    for call in calls:
        tool = by_name.get(call.name)
        if tool is not None:
            await announce(ToolStarted(tool.name, tool.label))
        result = await use(tool, call.arguments, session)
        content = json.dumps(result, ensure_ascii=False)
        found.append({"role": "tool", "tool_call_id": call.id, "content": content})
    return found
