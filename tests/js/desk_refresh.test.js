import assert from "node:assert/strict";
import { test } from "node:test";

import { Closed, createRefresh } from "../../chat/static/chat/desk/refresh.js";

/** A clock whose one timer the test rings. */
function made(answers) {
  const timers = new Map();
  const seen = { statuses: [], loaded: [], asked: 0, delays: [] };
  let next = 1;
  const clock = {
    setTimeout(action, delayMs) {
      seen.delays.push(delayMs);
      timers.set(next, action);
      return next++;
    },
    clearTimeout: (id) => timers.delete(id),
  };
  const refresh = createRefresh({
    load: async () => {
      seen.asked += 1;
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onLoaded: (loaded) => seen.loaded.push(loaded),
    onStatus: (status) => seen.statuses.push(status),
    everyMs: 100,
    clock,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    refresh, seen, settle, timers,
    async ring() {
      const [[id, action]] = timers;
      timers.delete(id);
      action();
      await settle();
    },
  };
}

test("it asks at once, then after each answer", async () => {
  const { refresh, seen, settle, ring } = made(["a", "b"]);
  refresh.wake();
  await settle();
  await ring();
  assert.deepEqual([seen.loaded, seen.statuses, seen.delays], [["a", "b"], ["live"], [100, 100]]);
});

test("what the server wrote already is not asked for at once", async () => {
  const { refresh, seen, settle, timers } = made(["a"]);
  refresh.wake({ soon: true });
  await settle();
  assert.deepEqual([seen.asked, timers.size], [0, 1]);
});

test("a failure is said, tried again ever later, and forgotten when it is over", async () => {
  const { refresh, seen, settle, ring } = made([new Error(), new Error(), "c", "d"]);
  refresh.wake();
  await settle();
  await ring();
  await ring();
  assert.deepEqual(seen.statuses, ["broken", "live"]);
  assert.deepEqual(seen.delays, [200, 400, 100]);
});

test("a logout ends it for good", async () => {
  const { refresh, seen, settle, timers } = made([new Closed(), "b"]);
  refresh.wake();
  await settle();
  refresh.sleep();
  refresh.wake();
  await settle();
  assert.deepEqual([seen.statuses, seen.asked, timers.size], [["closed"], 1, 0]);
});

test("a page that nobody sees asks nothing, and asks at once when it is seen again", async () => {
  const { refresh, seen, settle, timers } = made(["a", "b"]);
  refresh.wake();
  await settle();
  refresh.sleep();
  assert.equal(timers.size, 0);
  refresh.wake();
  refresh.wake();
  await settle();
  assert.equal(seen.asked, 2);
});
