/**
 * The photos of a conversation and those on their way: what is where, and what comes next. Knows
 * neither the page nor the network.
 *
 * @typedef {{id: string, url: string, thumbnail_url: string, attached: boolean}} Photo
 * @typedef {{key: number, state: "waiting" | "sending" | "failed" | "stored", name: string,
 *   share: number, error: string, canRetry: boolean, photo: Photo | null}} Entry
 */
import { WORDS } from "./words.js";

export const MOST = 5;
export const MAX_BYTES = 10 * 1024 * 1024;
const TYPES = /^image\/(jpeg|jpg|pjpeg|png|webp|hei[cf])$/i;

/** @returns {string} why this file is not even sent, "" when it is. The server looks again. */
export function refusal({ size, type }) {
  if (size === 0) return WORDS.empty;
  if (size > MAX_BYTES) return WORDS.tooLarge;
  return type === "" || TYPES.test(type) ? "" : WORDS.notAPhoto; // HEIC often has no type
}

/**
 * @param {object} does
 * @param {(file: File, tell: (share: number) => void, signal: AbortSignal) => Promise<Photo>} does.send
 *   rejects with `{message, canRetry}`
 * @param {(id: string) => Promise<void>} does.withdraw
 * @param {(entries: Entry[], said: string) => void} does.onChange `said`: news to be spoken, or ""
 */
export function createTray({ send, withdraw, onChange }) {
  let entries = [];
  let nextKey = 1;
  const files = new Map();
  const stops = new Map();

  const find = (key) => entries.find((entry) => entry.key === key);
  const change = (key, more, said = "") => {
    entries = entries.map((entry) => (entry.key === key ? { ...entry, ...more } : entry));
    onChange(entries, said);
  };
  const drop = (key, said) => {
    entries = entries.filter((entry) => entry.key !== key);
    files.delete(key);
    onChange(entries, said);
  };
  const make = (more) => ({
    key: nextKey++, state: "waiting", name: "", share: 0, error: "", canRetry: false, photo: null, ...more,
  });
  const isThere = (photo) => entries.some((entry) => entry.photo?.id === photo.id);

  /** One at a time: a telephone's line is soon full, and the first is there sooner. */
  async function sendNext() {
    const next = entries.find((entry) => entry.state === "waiting");
    if (!next || entries.some((entry) => entry.state === "sending")) return;
    const stop = new AbortController();
    stops.set(next.key, stop);
    change(next.key, { state: "sending", share: 0 });
    try {
      const photo = await send(files.get(next.key), (share) => change(next.key, { share }), stop.signal);
      if (isThere(photo)) drop(next.key, WORDS.added); // the same file again is the same photo
      else change(next.key, { state: "stored", photo }, WORDS.added);
      files.delete(next.key);
    } catch (error) {
      if (stop.signal.aborted) drop(next.key, WORDS.cancelled);
      else change(next.key, { state: "failed", error: error.message, canRetry: error.canRetry }, error.message);
    }
    stops.delete(next.key);
    await sendNext();
  }

  return {
    entries: () => entries,
    /** Show those that the server has. */
    show(photos) {
      const known = photos.filter((photo) => !isThere(photo));
      entries = [...known.map((photo) => make({ state: "stored", photo })), ...entries];
      onChange(entries, "");
    },
    /** Send these, as far as they are photos and there is room. */
    add(chosen) {
      let said = "";
      for (const file of chosen) {
        const taken = entries.filter(({ state }) => state !== "failed").length;
        const error = refusal(file) || (taken >= MOST ? WORDS.tooMany : "");
        const entry = make({ name: file.name, error, state: error ? "failed" : "waiting" });
        if (!error) files.set(entry.key, file);
        entries = [...entries, entry];
        said = said || error;
      }
      onChange(entries, said);
      return sendNext();
    },
    retry(key) {
      if (find(key)?.state !== "failed") return Promise.resolve();
      change(key, { state: "waiting", error: "", share: 0 });
      return sendNext();
    },
    /** Take away whatever it is: stop it, forget it, or have the server delete it. */
    async remove(key) {
      const entry = find(key);
      if (entry?.state === "sending") stops.get(key).abort();
      else if (entry?.state === "stored") {
        try {
          await withdraw(entry.photo.id);
          drop(key, WORDS.removed);
        } catch (error) {
          change(key, { error: error.message }, error.message);
        }
      } else if (entry) drop(key, WORDS.removed);
    },
  };
}
