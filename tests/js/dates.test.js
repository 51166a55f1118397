import assert from "node:assert/strict";
import { test } from "node:test";

import {
  dayKey, dayLabel, isSoon, timeLabel, wantsSync,
} from "../../chat/static/chat/js/dates.js";

const at = (...parts) => new Date(...parts).toISOString();
const NOW = new Date(2026, 10, 23, 0, 20).getTime();

test("days are told as people say them", () => {
  assert.deepEqual(
    [at(2026, 10, 23, 0, 1), at(2026, 10, 22, 23, 59), at(2026, 10, 20, 12)].map((moment) => (
      dayLabel(moment, NOW, "fr")
    )),
    ["Aujourd’hui", "Hier", "Vendredi 20 novembre"],
  );
});

test("a day begins and ends at the reader's midnight", () => {
  assert.equal(dayKey(at(2026, 10, 22, 23, 59)), "2026-11-22");
  assert.equal(dayKey(at(2026, 10, 23, 0, 0)), "2026-11-23");
});

test("the hour has two digits", () => {
  assert.equal(timeLabel(at(2026, 10, 23, 9, 5), "fr"), "09:05");
});

const expiresAt = new Date(NOW + 40 * 60_000).toISOString();

test("the end is near in the last hour only", () => {
  assert.deepEqual([isSoon(expiresAt, NOW), isSoon(expiresAt, NOW - 21 * 60_000), isSoon("", NOW)], [
    true, false, false,
  ]);
});

for (const [what, state, now, expected] of [
  ["something was said since", { touched: true }, NOW, true],
  ["nothing was said since", { touched: false }, NOW, false],
  ["the hour has passed", { touched: false }, NOW + 41 * 60_000, true],
  ["it is asked already", { touched: true, syncing: true }, NOW, false],
  ["it was asked just now", { touched: true }, NOW - 10_000, false],
]) {
  test(`whether to ask for the end of the conversation: ${what}`, () => {
    assert.equal(wantsSync({ syncing: false, expiresAt, ...state }, now, NOW - 30_000), expected);
  });
}
