/**
 * Ask for something again and again while the page is seen, and say honestly how it goes.
 *
 * @typedef {"live" | "broken" | "closed"} Status "broken": the last try failed, another is to
 *   come; "closed": the login has ended, no other try
 */
const MAX_SLOWER = 8;

/** The answer says that whoever asks may not any more. */
export class Closed extends Error {}

/**
 * @param {object} parts
 * @param {() => Promise<T>} parts.load rejects when it failed, with `Closed` when for good
 * @param {(loaded: T) => void} parts.onLoaded
 * @param {(status: Status) => void} parts.onStatus each change
 * @param {number} parts.everyMs between the end of one try and the next; failures make it longer
 */
export function createRefresh({ load, onLoaded, onStatus, everyMs, clock = globalThis }) {
  let timer = null;
  let status = "";
  let failures = 0;
  let isAsking = false;
  let isAwake = false;

  function become(next) {
    if (next === status) return;
    status = next;
    onStatus(next);
  }

  async function ask() {
    timer = null;
    isAsking = true;
    try {
      onLoaded(await load());
      failures = 0;
      become("live");
    } catch (error) {
      failures += 1;
      become(error instanceof Closed ? "closed" : "broken");
    }
    isAsking = false;
    if (isAwake) later();
  }

  function later() {
    if (status === "closed" || timer !== null || isAsking) return;
    timer = clock.setTimeout(ask, everyMs * Math.min(2 ** failures, MAX_SLOWER));
  }

  return {
    /** The page is seen: go on, with a try at once when it was asleep. `soon`: not at once. */
    wake({ soon = false } = {}) {
      if (isAwake || status === "closed") return undefined;
      isAwake = true;
      if (isAsking) return undefined;
      return soon ? later() : ask();
    },
    sleep() {
      isAwake = false;
      clock.clearTimeout(timer);
      timer = null;
    },
  };
}
