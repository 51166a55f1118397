/** @returns {import("./types.d.ts").Draft | null} what `session.state` says of the answer being written */
export function draftOf(draft) {
  return draft && { id: draft.id, text: draft.text, length: lengthOf(draft.text) };
}

/**
 * Add one delta to a draft. What is held already is trimmed, so a delta may come twice.
 * `gap`: something between the two was missed, or the end of the draft before this one was.
 */
export function withDelta(draft, { id, offset, text }) {
  const follows = draft?.id === id;
  const held = follows ? draft : { id, text: "", length: 0 };
  if (offset > held.length) return { draft, gap: true };
  const fresh = dropFirst(text, held.length - offset);
  if (follows && fresh === "") return { draft, gap: false };
  const longer = { id, text: held.text + fresh, length: held.length + lengthOf(fresh) };
  return { draft: longer, gap: draft !== null && !follows };
}

/**
 * Characters as the server counts them: a JavaScript string counts UTF-16 units, of which "🛋" has
 * two.
 *
 * @returns {number} code points of the text
 */
export function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** @returns {string} the text without its first `count` code points */
export function dropFirst(text, count) {
  if (count <= 0) return text;
  return [...text].slice(count).join("");
}
