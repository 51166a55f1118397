/** What a closed connection means, and when to try again. Close codes: docs/protocol.md. */
import { busyDelay, reconnectDelay, restartDelay } from "./backoff.js";

const RESTART = 1012;
const NO_COOKIE = 4401;
const REFUSED = 4403;
const NOT_FOUND = 4404;
const TOO_MANY = 4429;
/** Attempts that failed, none ever having worked, after which the way is taken as barred. */
const BARRED_ATTEMPTS = 4;

/**
 * @param {number} code of the close event
 * @param {{attempt: number, hasWorked: boolean}} history `attempt`: failures in a row before this
 *   one; `hasWorked`: whether the server was ever heard
 * @returns {{status: import("./types.d.ts").Status, delayMs: number | null}} null: no other try
 */
export function afterClose(code, { attempt, hasWorked }, random = Math.random) {
  switch (code) {
    case NO_COOKIE: return { status: "expelled", delayMs: null };
    case REFUSED:
    case NOT_FOUND: return { status: "refused", delayMs: null };
    case TOO_MANY: return { status: "busy", delayMs: busyDelay(random) };
    case RESTART:
      if (attempt === 0) return { status: "connecting", delayMs: restartDelay(random) };
  }
  const isBarred = !hasWorked && attempt + 1 >= BARRED_ATTEMPTS;
  const status = attempt === 0 ? "connecting" : "offline";
  return { status: isBarred ? "barred" : status, delayMs: reconnectDelay(attempt, random) };
}
