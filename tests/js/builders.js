/** Events and states of a conversation, with what a test does not care about filled in. */
import { EMPTY, reduce } from "../../chat/static/chat/js/transcript_state.js";

export const AT = Date.parse("2026-11-23T09:30:00Z");

export function question(id = "q1", text = "Bonjour", more = {}) {
  return {
    id, text, author: "customer", html: `<p>${text}</p>`, sent_at: "2026-11-23T09:00:00.000Z",
    interrupted: false, reply_to: "", ...more,
  };
}

export function answer(id = "a1", text = "Bonjour Camille", more = {}) {
  return { ...question(id, text), author: "assistant", reply_to: "q1", ...more };
}

export function sessionState(messages = [], more = {}) {
  return {
    type: "session.state", messages, draft: null, speaker: "assistant", name: "",
    expires_at: "2026-11-24T09:00:00.000Z", storage_backend: "redis", waiting: [], failed: [],
    ended: false, asked: false, ...more,
  };
}

export function delta(offset, text, id = "a1") {
  return { type: "message.delta", id, offset, text };
}

export function done(message) {
  return { type: "message.done", message };
}

export function sent(id = "q1", text = "Bonjour") {
  return { type: "local.sent", message: { id, text, at: "2026-11-23T09:00:00.000Z" } };
}

export function accepted(id = "q1") {
  return { type: "message.accepted", id };
}

export function failure(id, code = "assistant_timeout", more = {}) {
  return { type: "error", id, code, message: "Vous pouvez réessayer.", ...more };
}

/** The state after these events, from a page that knew nothing or from `start`. */
export function after(events, start = EMPTY) {
  return events.reduce((state, event) => reduce(state, { at: AT, ...event }), start);
}
