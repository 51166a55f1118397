/** Stand-ins with the shape of the real thing. */

/** A clock that goes only when told to; `globalThis` as far as socket.js uses it. */
export function fakeClock() {
  let now = 1_000_000;
  let timers = [];
  return {
    Date: { now: () => now },
    setTimeout(action, delayMs) {
      const timer = { action, at: now + delayMs };
      timers.push(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers = timers.filter((other) => other !== timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        now = next.at;
        timers = timers.filter((other) => other !== next);
        next.action();
      }
      now = end;
    },
  };
}

/** A WebSocket as far as socket.js uses it; the test is the server. */
export class FakeWebSocket {
  readyState = 0;
  sent = [];

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  /** As the server: */
  accept() {
    this.readyState = 1;
  }

  say(event) {
    this.accept();
    this.onmessage({ data: JSON.stringify(event) });
  }

  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

/** The tab's storage as far as outbox.js uses it. */
export function fakeSessionStorage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, String(value)); },
    removeItem: (key) => { kept.delete(key); },
  };
}
