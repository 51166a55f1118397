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
