/**
 * Lists of messages: those of the transcript (MESSAGE of docs/protocol.md) and those pending.
 *
 * A pending message was sent but not accepted yet: it is shown after the transcript and sent
 * again, with the same id, until it is.
 */

/** Codes after which the very same message would be refused again. */
const FINAL = new Set([
  "invalid_json", "invalid_message", "payload_too_large", "id_conflict", "unauthorized", "forbidden",
]);

export function isRetryable(code) {
  return !FINAL.has(code);
}

/** @returns {Failure} what an `error` event says, and when trying again makes sense */
export function failureOf({ code, message, retry_after_s: waitS = 0 }, now) {
  return { code, message, retryAt: waitS ? now + waitS * 1000 : 0 };
}

/** @returns the transcript entry that an accepted message becomes */
export function messageOf({ id, text, at }) {
  return {
    id, text, author: "customer", html: "", sent_at: at, interrupted: false, reply_to: "",
  };
}

export function has(messages, id) {
  return messages.some((message) => message.id === id);
}

export function without(messages, id) {
  return has(messages, id) ? messages.filter((message) => message.id !== id) : messages;
}

/** @returns the list with the message in its place: its own when it is known, else the last */
export function placed(messages, message) {
  if (!has(messages, message.id)) return [...messages, message];
  return messages.map((known) => (known.id === message.id ? message : known));
}

/** @returns {Pending[]} the list with the error put on, or taken off when it is null */
export function withError(pending, id, error) {
  return pending.map((message) => (message.id === id ? { ...message, error } : message));
}

/**
 * An id for a message: 128 random bits that no other client will make.
 *
 * `randomUUID` exists in secure contexts only; a shop that tries this page over plain http on its
 * own network has `getRandomValues` alone.
 */
export function newId(crypto = globalThis.crypto) {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
