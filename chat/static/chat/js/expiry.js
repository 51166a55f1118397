/** When a conversation is about to expire, and when to ask whether it still is. */

const SOON_MS = 3600 * 1000;
const ASK_AGAIN_MS = 30_000;

/** Whether less than an hour is left. */
export function isSoon(expiresAt, now) {
  return expiresAt !== "" && Date.parse(expiresAt) - now < SOON_MS;
}

/**
 * Whether to ask the server: the end seems near though something was said since it was told, or
 * it has passed and nothing was heard of it.
 */
export function wantsSync({ expiresAt, touched, syncing }, now, askedAt) {
  if (syncing || !isSoon(expiresAt, now) || now - askedAt < ASK_AGAIN_MS) return false;
  return touched || Date.parse(expiresAt) < now;
}
