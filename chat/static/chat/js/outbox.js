/**
 * What this tab keeps over a reload: text not sent yet, and messages not accepted yet, which are
 * sent again with the same id until they are. Which those are: `pending` of transcript_state.js.
 *
 * The tab's own storage: two tabs never send each other's messages. A browser that forbids
 * storage (private mode, blocked cookies) loses only the memory of a reload.
 */
const KEYS = { draft: "chat.draft", outbox: "chat.outbox", reloaded: "chat.reloaded", photos: "chat.shop.photos" };

export function openStorage(open = () => globalThis.sessionStorage) {
  const store = tried(open, null);
  return {
    read: (name) => tried(() => store.getItem(KEYS[name]), null) ?? "",
    write: (name, value) => tried(() => (
      value ? store.setItem(KEYS[name], value) : store.removeItem(KEYS[name])
    )),
    clear: () => Object.values(KEYS).forEach((key) => tried(() => store.removeItem(key))),
  };
}

function tried(access, otherwise) {
  try {
    return access();
  } catch {
    return otherwise;
  }
}

/** @returns {import("./types.d.ts").Pending[]} what an earlier life of this page left unsent */
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

/**
 * Where sockets do not get through: sending by the page's own form, as without JavaScript. While
 * the server cannot be reached at all, a message stays in the outbox.
 */
export function createFormPost(form) {
  let isLeaving = false;
  return async ({ id, text }) => {
    if (isLeaving) return;
    isLeaving = true;
    isLeaving = await isReachable();
    if (isLeaving) post(form, id, text);
  };
}

async function isReachable() {
  try {
    const { href } = document.querySelector("link[rel=icon]");
    await fetch(href, { method: "HEAD", cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

function post(form, id, text) {
  const hidden = document.createElement("input");
  Object.assign(hidden, { type: "hidden", name: "id", value: id });
  form.append(hidden);
  form.querySelector("[data-field]").value = text;
  form.submit();
}
