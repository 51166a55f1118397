"""What a page shows: the rules of docs/protocol.md, as an honest client follows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.faults.answers import wrong_with


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the transcript. ``text`` of an answer that deltas made is replaced by it."""

    id: str
    author: str
    text: str
    reply_to: str = ""
    interrupted: bool = False

    @classmethod
    def of(cls, message: dict[str, Any]) -> Line:
        return cls(
            message["id"],
            message["author"],
            message["text"],
            message.get("reply_to", ""),
            message["interrupted"],
        )


@dataclass(slots=True)
class View:
    """``wrong``: what no viewer should ever have seen."""

    lines: list[Line] = field(default_factory=list)
    draft_id: str = ""
    draft: str = ""
    waiting: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    backend: str = ""
    ended: str = ""
    wrong: list[str] = field(default_factory=list)

    def hear(self, event: dict[str, Any]) -> bool:
        """Change as the event says; return whether ``session.sync`` must be asked."""
        match event["type"]:
            case "session.state":
                self._replace(event)
            case "message.delta":
                return self._add(event["id"], event["offset"], event["text"])
            case "message.done":
                self._put(Line.of(event["message"]))
            case "error" if event.get("id") in self.waiting:
                self.failed[event["id"]] = event["code"]
                self._close(event["id"])
            case "session.ended":
                self.ended = event["reason"]
                if self.ended == "erased":
                    self.lines = []
                self.draft_id = self.draft = ""
                self.waiting = []
        return False

    def accept(self, id_: str, text: str) -> None:
        """Our own question was stored."""
        if not self.has(id_):
            self.lines.append(Line(id_, "customer", text))
        self.wait_for(id_)

    def wait_for(self, id_: str) -> None:
        answered = any(line.reply_to == id_ for line in self.lines)
        if id_ not in self.waiting and not answered and id_ not in self.failed:
            self.waiting.append(id_)

    def ask_again(self, id_: str) -> None:
        """A question that failed is asked once more."""
        self.failed.pop(id_, None)
        self.wait_for(id_)

    def has(self, id_: str) -> bool:
        return any(line.id == id_ for line in self.lines)

    def _replace(self, state: dict[str, Any]) -> None:
        self.lines = [Line.of(message) for message in state["messages"]]
        draft = state["draft"] or {"id": "", "text": ""}
        self.draft_id, self.draft = draft["id"], draft["text"]
        self.waiting = list(state["waiting"])
        self.failed = {failure["id"]: failure["code"] for failure in state["failed"]}
        self.backend = state["storage_backend"]
        self._look()

    def _add(self, answer_id: str, offset: int, text: str) -> bool:
        if self.has(answer_id):
            return False
        before, follows = self.draft_id, answer_id == self.draft_id
        held = self.draft if follows else ""
        if offset > len(held):
            return True
        self.draft_id = answer_id
        self.draft = held + text[len(held) - offset :]
        self._look()
        return before != "" and not follows

    def _put(self, line: Line) -> None:
        known = next((n for n, old in enumerate(self.lines) if old.id == line.id), None)
        if known is None:
            self.lines.append(line)
        else:
            self.lines[known] = line
        if line.author == "customer":
            self.wait_for(line.id)
        elif line.reply_to:
            self._close(line.reply_to)
            self.failed.pop(line.reply_to, None)
            self._check(line)

    def _close(self, question_id: str) -> None:
        self.waiting = [id_ for id_ in self.waiting if id_ != question_id]
        self.draft_id = self.draft = ""

    def _look(self) -> None:
        """Whether what is being written may be shown."""
        if self.draft and (wrong := wrong_with(self.draft)):
            self.wrong.append(f"draft: {wrong}")

    def _check(self, line: Line) -> None:
        if line.text and (wrong := wrong_with(line.text, line.reply_to)):
            self.wrong.append(f"answer: {wrong}")
