/**
 * What this tab keeps over a reload: text not sent yet, messages not accepted yet.
 *
 * The tab's own storage: two tabs never send each other's messages. A browser that forbids
 * storage (private mode, blocked cookies) loses only the memory of a reload.
 */
const KEYS = { draft: "chat.draft", outbox: "chat.outbox", reloaded: "chat.reloaded", photos: "chat.photos" };

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
