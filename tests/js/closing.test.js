import assert from "node:assert/strict";
import { test } from "node:test";

import { afterClose } from "../../chat/static/chat/js/closing.js";

const middle = () => 0.5;

for (const [what, code, history, expected] of [
  ["a cut", 1006, { attempt: 0, hasWorked: true }, { status: "connecting", delayMs: 225 }],
  ["a second cut", 1006, { attempt: 1, hasWorked: true }, { status: "offline", delayMs: 450 }],
  ["never heard", 1006, { attempt: 2, hasWorked: false }, { status: "offline", delayMs: 900 }],
  ["never at all", 1006, { attempt: 3, hasWorked: false }, { status: "barred", delayMs: 1800 }],
  ["long away", 1006, { attempt: 9, hasWorked: true }, { status: "offline", delayMs: 11_250 }],
  ["a restart", 1012, { attempt: 0, hasWorked: true }, { status: "connecting", delayMs: 750 }],
  ["restarts in a row", 1012, { attempt: 2, hasWorked: true }, { status: "offline", delayMs: 900 }],
  ["no cookie", 4401, { attempt: 0, hasWorked: false }, { status: "expelled", delayMs: null }],
  ["refused", 4403, { attempt: 0, hasWorked: true }, { status: "refused", delayMs: null }],
  ["nothing there", 4404, { attempt: 2, hasWorked: true }, { status: "refused", delayMs: null }],
  ["too many", 4429, { attempt: 0, hasWorked: true }, { status: "busy", delayMs: 52_500 }],
]) {
  test(`after ${what} (${code})`, () => {
    assert.deepEqual(afterClose(code, history, middle), expected);
  });
}
