/**
 * A connection that comes back by itself.
 *
 * It knows nothing of conversations: events out, frames in, and a word about how it is.
 */
import { afterClose } from "./closing.js";

const PING_MS = 20_000;
/** Silence after which a connection counts as dead, whatever the browser thinks. */
const SILENCE_MS = 45_000;
/** Time an answer to a ping may take when the page comes back from sleep. */
const WAKE_MS = 5_000;
const OPEN = 1;
const FINAL = new Set(["expelled", "refused", "stopped"]);

/** `open` makes a connection; pongs are no events; `onStatus` hears each change. */
export function createSocket({ open, onEvent, onStatus, clock = globalThis, random = Math.random }) {
  let socket = null;
  let attempt = 0;
  let hasWorked = false;
  let heardAt = 0;
  let status = "";
  let timers = {};

  function become(next) {
    if (next === status) return;
    status = next;
    onStatus(next);
  }

  function after(name, delayMs, action) {
    clock.clearTimeout(timers[name]);
    timers[name] = clock.setTimeout(action, delayMs);
  }

  function connect() {
    rest();
    if (status === "") become("connecting");
    const mine = open();
    socket = mine;
    heardAt = clock.Date.now();
    mine.onmessage = ({ data }) => mine === socket && heard(JSON.parse(data));
    mine.onclose = ({ code }) => mine === socket && closed(code);
    after("beat", PING_MS, beat);
  }

  function rest() {
    Object.values(timers).forEach((timer) => clock.clearTimeout(timer));
    timers = {};
  }

  function heard(event) {
    heardAt = clock.Date.now();
    attempt = 0;
    hasWorked = true;
    become("connected");
    if (event.type !== "pong") onEvent(event);
  }

  function beat() {
    const silenceMs = clock.Date.now() - heardAt;
    if (silenceMs >= SILENCE_MS) return drop();
    send({ type: "ping" });
    return after("beat", Math.min(PING_MS, SILENCE_MS - silenceMs), beat);
  }

  function send(frame) {
    if (socket?.readyState !== OPEN) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  /** Give the connection up without waiting for the browser to notice. */
  function drop() {
    const old = socket;
    socket = null;
    old?.close();
    closed(0);
  }

  function closed(code) {
    rest();
    socket = null;
    const { status: next, delayMs } = afterClose(code, { attempt, hasWorked }, random);
    attempt += 1;
    if (delayMs !== null) after("connect", delayMs, connect);
    become(next);
  }

  return {
    start: connect,
    send,
    /** The page is seen again, or the network is back: do not wait for a timer to find out. */
    wake() {
      if (FINAL.has(status) || status === "busy") return;
      if (!socket) return void connect();
      const before = heardAt;
      send({ type: "ping" });
      after("wake", WAKE_MS, () => heardAt === before && drop());
    },
    /** The network went away: say so at once, and go on trying in case it did not. */
    sleep() {
      if (!socket || FINAL.has(status)) return;
      attempt = Math.max(attempt, 1);
      drop();
    },
    stop() {
      rest();
      const old = socket;
      socket = null;
      old?.close();
      become("stopped");
    },
  };
}
