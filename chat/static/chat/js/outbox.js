/**
 * Messages sent but not accepted: kept over a reload, sent again with the same id until they are.
 *
 * Which they are is decided in transcript_state.js (`pending`); this keeps and orders them.
 */

/** @returns {import("./messages.js").Pending[]} what an earlier life of this page left unsent */
export function readOutbox(storage) {
  try {
    const kept = JSON.parse(storage.read("outbox") || "[]");
    return Array.isArray(kept) ? kept.filter(isPending) : [];
  } catch {
    return [];
  }
}

export function writeOutbox(storage, pending) {
  storage.write("outbox", pending.length > 0 ? JSON.stringify(pending) : "");
}

/** @returns the frames to send once connected; a refused message waits for its author's click */
export function framesOf(pending) {
  return pending.filter(({ error }) => !error).map(frameOf);
}

export function frameOf({ id, text }) {
  return { type: "message.send", id, text };
}

function isPending(entry) {
  return typeof entry?.id === "string" && typeof entry.text === "string" &&
    typeof entry.at === "string";
}
