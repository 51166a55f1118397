/**
 * What the desk knows of one session: the transcript as the customer's page knows it, and what
 * stands beside it. No DOM, no socket. A state is never changed in place.
 */
import { EMPTY, reduce } from "../js/transcript_state.js";

/**
 * `holder`: `{name, mine}` of the adviser who answers, or null. `askedAt`: since when the customer
 * waits for one, or "". `before`: messages that stand before those of `talk`. `isKnown`: the server has told the whole state.
 */
export const UNKNOWN = Object.freeze({
  talk: EMPTY, asides: [], holder: null, askedAt: "", language: "", before: 0, isKnown: false,
});

/** @returns the state after the event; the same object when the event changes nothing */
export function reduceDesk(state, event) {
  switch (event.type) {
    case "desk.state": return onDeskState(state, event);
    case "aside.added": return onAside(state, event.aside);
    case "adviser.asked": return { ...state, askedAt: new Date(event.at).toISOString() };
    case "speaker.changed": return onSpeaker(state, event);
    case "session.ended": return onEnded(state, event);
    default: return told(state, event);
  }
}

function told(state, event) {
  const talk = reduce(state.talk, event);
  if (talk === state.talk) return state;
  return { ...state, talk, before: countBefore(state, talk, event) };
}

/** How many messages stand before those of `talk`: a state tells it, loading some takes them off. */
function countBefore({ talk: known, before }, talk, event) {
  if (event.total !== undefined) return Math.max(0, event.total - event.messages.length);
  return event.type === "local.earlier" ? before - talk.messages.length + known.messages.length : before;
}

/** It replaces all that was known, the end of the conversation included. */
function onDeskState(state, event) {
  return {
    talk: reduce({ ...state.talk, ended: "" }, { ...event, type: "session.state" }),
    asides: event.asides,
    holder: event.holder,
    askedAt: event.asked_at ?? "",
    language: event.language,
    before: Math.max(0, (event.total ?? 0) - event.messages.length),
    isKnown: true,
  };
}

function onAside(state, aside) {
  if (state.asides.some(({ id }) => id === aside.id)) return state;
  return { ...state, asides: [...state.asides, aside] };
}

/** Whether the holder is this adviser, `desk.state` says next: two may have the same name. */
function onSpeaker(state, event) {
  const holder = event.speaker === "adviser" ? { name: event.name, mine: false } : null;
  const isSame = holder?.name === state.holder?.name;
  return { ...told(state, event), holder: isSame ? state.holder : holder, askedAt: "" };
}

/** An erasure is told also of a conversation that had ended before. */
function onEnded(state, event) {
  if (event.reason !== "erased") return told(state, event);
  const talk = reduce({ ...state.talk, ended: "" }, event);
  return { ...state, talk, asides: [], holder: null, askedAt: "", before: 0 };
}

/** @returns {"ended" | "gone" | "mine" | "other" | "free"} what may be done */
export function modeOf({ talk, holder }) {
  if (talk.ended) return talk.ended === "ended" ? "ended" : "gone";
  if (!holder) return "free";
  return holder.mine ? "mine" : "other";
}

/** @returns {string} the key of a badge: what the conversation waits for, the first that applies */
export function badgeOf({ talk, holder, askedAt }) {
  if (talk.ended) return "ended";
  if (holder) return "held";
  if (askedAt) return "asked";
  if (talk.waiting.length > 0) return "answering";
  const last = talk.messages.at(-1);
  return last && (last.interrupted || talk.failed.has(last.id)) ? "interrupted" : "idle";
}
