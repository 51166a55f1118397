/**
 * What a page keeps of older messages: `session.state` tells the newest alone. No DOM.
 *
 * Events of docs/protocol.md become others that `reduce` of transcript_state.js takes.
 */
import { failureOf, has } from "../js/messages.js";

/** @returns {object} the event to be reduced in place of this one */
export function toldOfOlder(state, event) {
  if (event.type === "messages.loaded") return loaded(state, event);
  if (!event.messages || !event.has_earlier || state.messages.length === 0) return event;
  const kept = before(state.messages, event.messages);
  if (kept.length === 0) return event;
  const failed = [...state.failed].filter(([id]) => has(kept, id)).map(([id, failure]) => (
    { ...failure, id, retry_after_s: Math.max(0, (failure.retryAt - event.at) / 1000) }
  ));
  return {
    ...event,
    messages: [...kept, ...event.messages],
    failed: [...failed, ...event.failed],
    has_earlier: state.hasEarlier,
  };
}

/** A state that came meanwhile may begin elsewhere: then they are not shown. */
function loaded(state, event) {
  if (state.messages[0]?.id !== event.before) return { type: "local.earlier", more: {} };
  const older = event.messages.filter(({ id }) => !has(state.messages, id));
  const failures = event.failed.map((failure) => [failure.id, failureOf(failure, event.at)]);
  return {
    type: "local.earlier",
    more: {
      messages: [...older, ...state.messages],
      failed: new Map([...failures, ...state.failed]),
      hasEarlier: event.has_earlier,
    },
  };
}

function before(messages, newest) {
  const end = messages.findIndex(({ id }) => id === newest[0].id);
  return messages.slice(0, Math.max(0, end)).filter(({ id }) => !has(newest, id));
}
