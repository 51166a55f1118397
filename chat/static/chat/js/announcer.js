/**
 * What a screen reader says of the conversation: whole sentences of an answer as they come, and
 * every other message once. The transcript itself is silent.
 */
import { plainText } from "./markdown_plain.js";

const SENTENCE_END = /[.!?…:]["»)\s]*(?:\s|$)|\n/g;
/** Shorter pieces wait for the next: "1." or "M." alone is no sentence. */
const MIN_CHARS = 12;
const KEPT_LINES = 6;

/** The sentences that may be said now, of an answer so far of which so many characters were. */
export function nextSentences(text, spoken, isWhole) {
  const rest = text.slice(spoken);
  if (isWhole) return rest;
  let end = 0;
  for (const match of rest.matchAll(SENTENCE_END)) {
    const after = match.index + match[0].length;
    if (after < rest.length && after >= MIN_CHARS) end = after;
  }
  return rest.slice(0, end);
}

/**
 * @param {HTMLElement} region an empty polite live region
 * @param {(item: import("./types.d.ts").Item) => string} labelOf who speaks
 */
export function createAnnouncer(region, labelOf) {
  const spoken = new Map();

  function say(text) {
    const line = document.createElement("p");
    line.textContent = text;
    region.append(line);
    while (region.children.length > KEPT_LINES) region.firstElementChild.remove();
  }

  function sayItem(item) {
    const before = spoken.get(item.key) ?? 0;
    if (before === Infinity) return;
    const text = item.author === "adviser" ? item.text : plainText(item.text);
    const sentences = nextSentences(text, before, !item.isWriting);
    if (sentences.trim()) say(before === 0 ? `${labelOf(item)} : ${sentences}` : sentences);
    spoken.set(item.key, item.isWriting ? before + sentences.length : Infinity);
  }

  return {
    say,
    /** Leave nothing of what was said in the page. */
    forget: () => region.replaceChildren(),
    /** Take these as known: they were there before the reader came. */
    skip: (items) => items.forEach(({ key }) => spoken.set(key, Infinity)),
    follow: (items) => items
      .filter(({ kind, author }) => kind === "message" && author !== "customer")
      .forEach(sayItem),
  };
}
