import assert from "node:assert/strict";
import { test } from "node:test";

import { busyDelay, reconnectDelay, restartDelay } from "../../chat/static/chat/js/backoff.js";

const earliest = () => 0;
const latest = () => 1;

test("the first retry comes within 0.3 s, the longest wait is 15 s", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 60].map((n) => reconnectDelay(n, latest)), [
    300, 600, 1200, 2400, 4800, 9600, 15_000, 15_000,
  ]);
});

test("retries are spread over the upper half of the wait", () => {
  assert.deepEqual([0, 3, 60].map((n) => reconnectDelay(n, earliest)), [150, 1200, 7500]);
});

test("after a restart clients come back at once, but not together", () => {
  assert.deepEqual([restartDelay(earliest), restartDelay(latest)], [0, 1500]);
});

test("a server that has enough of us is left alone longer than by any retry", () => {
  assert.ok(busyDelay(earliest) > reconnectDelay(60, latest));
});
