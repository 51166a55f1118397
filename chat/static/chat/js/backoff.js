const FIRST_MS = 300;
const MAX_MS = 15_000;
const RESTART_MS = 1_500;
const BUSY_MS = 30_000;

/**
 * How long to wait before retry `attempt`, 0 being the first: doubled each time, then somewhere in
 * the upper half, so that a server that comes back does not meet everyone at once.
 */
export function reconnectDelay(attempt, random = Math.random) {
  return upperHalf(Math.min(MAX_MS, FIRST_MS * 2 ** attempt), random);
}

/** The server said that it restarts: another worker is likely there already. */
export function restartDelay(random = Math.random) {
  return Math.round(random() * RESTART_MS);
}

/** The server said that it has enough of us. */
export function busyDelay(random = Math.random) {
  return BUSY_MS + upperHalf(BUSY_MS, random);
}

function upperHalf(ceilingMs, random) {
  return Math.round(ceilingMs / 2 + random() * (ceilingMs / 2));
}
