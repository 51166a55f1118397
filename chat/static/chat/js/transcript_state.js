/**
 * What the page knows of the conversation, and how each event changes it. No DOM, no socket.
 *
 * Events are those of docs/protocol.md, with `at` (ms) when they came, and `local.*` for what
 * happens in this page. A state is never changed in place.
 */
import { draftOf } from "./draft.js";
import { failureOf, without } from "./messages.js";
import {
  dropDraft, onAccepted, onDelta, onDone, onError, onRetried, onSent, replayed,
} from "./turn_events.js";

/** The state of a page that has heard nothing yet: `State` of types.d.ts. */
export const EMPTY = Object.freeze({
  messages: [],
  pending: [],
  draft: null,
  waiting: [],
  failed: new Map(),
  speaker: "assistant",
  name: "",
  tool: "",
  stopping: false,
  asked: false,
  expiresAt: "",
  backend: "",
  degraded: false,
  ended: "",
  notice: null,
  syncing: false,
  buffered: [],
  touched: false,
  hasEarlier: false,
});

const OVER = {
  pending: [], draft: null, waiting: [], tool: "", stopping: false, syncing: false, buffered: [],
};

const reducers = {
  __proto__: null,
  "session.state": onState,
  "message.accepted": onAccepted,
  "message.delta": onDelta,
  "message.done": onDone,
  "tool.started": (state, { label }) => ({ ...state, tool: label }),
  "speaker.changed": onSpeaker,
  "adviser.asked": (state) => ({ ...state, asked: true }),
  "session.ended": onEnded,
  error: (state, event) => onError(state, event) ?? onEnded(state, { reason: "expired" }),
  "local.sent": onSent,
  "local.retried": onRetried,
  "local.dropped": (state, { id }) => ({ ...state, pending: without(state.pending, id) }),
  "local.stopping": (state) => ({ ...state, stopping: true }),
  "local.sync": (state) => ({ ...state, syncing: true }),
  "local.earlier": (state, { more }) => ({ ...state, ...more }),
  "local.closed": (state) => ({ ...state, tool: "", stopping: false, syncing: false }),
};

/** @returns the state after the event; the same object when the event changes nothing */
export function reduce(state, event) {
  return (state.ended ? null : reducers[event.type]?.(state, event)) ?? state;
}

function onState(state, event) {
  if (event.messages.length === 0 && state.messages.length > 0) {
    return onEnded(state, { reason: "expired" });
  }
  const known = new Set(event.messages.map(({ id }) => id));
  const next = {
    ...state,
    messages: event.messages,
    hasEarlier: !!event.has_earlier,
    pending: state.pending.filter(({ id }) => !known.has(id)),
    draft: draftOf(event.draft),
    waiting: event.waiting,
    failed: new Map(event.failed.map((failure) => [failure.id, failureOf(failure, event.at)])),
    speaker: event.speaker,
    name: event.name,
    tool: event.waiting.length > 0 ? state.tool : "",
    stopping: state.stopping && event.waiting.length > 0,
    asked: event.asked,
    expiresAt: event.expires_at,
    backend: event.storage_backend,
    degraded: event.storage_backend === "memory" && (state.degraded || state.backend === "redis"),
    syncing: false,
    buffered: [],
    touched: false,
  };
  const told = state.buffered.reduce(replayed, next);
  return event.ended ? onEnded(told, { reason: "ended" }) : told;
}

function onSpeaker(state, { speaker, name }) {
  if (speaker === state.speaker && name === state.name) return state;
  const waiting = speaker === "adviser" ? [] : state.waiting;
  return { ...dropDraft(state), waiting, asked: false, speaker, name };
}

function onEnded(state, { reason }) {
  const messages = reason === "erased" ? [] : state.messages;
  const hasEarlier = reason === "ended" && state.hasEarlier;
  return { ...state, ...OVER, messages, hasEarlier, ended: reason };
}
