/**
 * Characters as the server counts them: Unicode code points.
 *
 * A JavaScript string counts UTF-16 units, of which "🛋" has two.
 */

/** @returns {number} code points of the text */
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
