"""Writing one answer: ask the model, do what it asks for, ask again with what was found."""

from __future__ import annotations

import json
from contextlib import aclosing

from chat.assistant.completion import ToolCall, Usage
from chat.assistant.llm import LLM
from chat.assistant.pictures import with_photos
from chat.assistant.prompt import prompt
from chat.assistant.sources import taken_from
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
    messages = await with_photos(prompt(session, question_id), session)
    schemas = [tool.schema for tool in tools]
    looking = _Looking(session, writer, tools)
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
        messages += await looking.look_up(calls[:MAX_CALLS_A_ROUND])
    await writer.end()


class _Looking:
    """What the tools found in one turn: looked up once, however often it is asked for."""

    def __init__(self, session: Session, writer: DraftWriter, tools: tuple[Tool, ...]) -> None:
        self._session = session
        self._writer = writer
        self._tools = {tool.name: tool for tool in tools}
        self._found: dict[tuple[str, str], str] = {}

    async def look_up(self, calls: tuple[ToolCall, ...]) -> list[JSON]:
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
        found = [
            {"role": "tool", "tool_call_id": call.id, "content": await self._say(call)}
            for call in calls
        ]
        return [asked, *found]

    async def _say(self, call: ToolCall) -> str:
        key = (call.name, call.arguments)
        if key not in self._found:
            self._found[key] = await self._use(call)
        return self._found[key]

    async def _use(self, call: ToolCall) -> str:
        """Return the result as JSON in which no text can pass for anything but a text."""
        tool = self._tools.get(call.name)
        if tool is not None:
            await self._writer.tool(ToolStarted(tool.name, tool.label))
        used = await use(tool, call.arguments, self._session)
        result, sources = taken_from(used)
        self._writer.guard.facts.add_result(result)
        self._writer.cite(sources)
        return json.dumps(result, ensure_ascii=False).replace("<", "\\u003c")
