"""One voice at a time: nothing of the model reaches a viewer while an adviser answers. No I/O.

Whoever takes over has the model fall silent first. What another process still sends, or sent
before and arrives late, is stopped here: the whole state that was shown has it already.
"""

from __future__ import annotations

from chat.protocol import (
    DeskState,
    Envelope,
    MessageDelta,
    MessageDone,
    SessionState,
    SpeakerChanged,
    ToolStarted,
)

_SAYING_WHO = (SessionState.type, DeskState.type, SpeakerChanged.type)


class Voice:
    """What one viewer was told of who answers."""

    def __init__(self) -> None:
        self._is_adviser = False

    def admits(self, envelope: Envelope) -> bool:
        """Take note of the event; return whether it may be shown."""
        if envelope.type in _SAYING_WHO:
            # Quotes inside of texts are escaped, so these words can only be the event's own.
            self._is_adviser = '"speaker":"adviser"' in envelope.text
        return not (self._is_adviser and _is_of_model(envelope))


def _is_of_model(envelope: Envelope) -> bool:
    if envelope.type == MessageDone.type:
        return envelope.about != ""
    return envelope.type in (MessageDelta.type, ToolStarted.type)
