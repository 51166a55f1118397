import assert from "node:assert/strict";
import { test } from "node:test";

import { cleaned, countdown, isSendKey } from "../../chat/static/chat/js/composer.js";
import { newId } from "../../chat/static/chat/js/messages.js";
import { hiddenHeight, isFollowing } from "../../chat/static/chat/js/scroll.js";

for (const [what, keys, isTouch, expected] of [
  ["Enter", { key: "Enter" }, false, true],
  ["Shift+Enter", { key: "Enter", shiftKey: true }, false, false],
  ["Enter of an input method", { key: "Enter", isComposing: true }, false, false],
  ["Enter of an input method in Safari", { key: "Enter", keyCode: 229 }, false, false],
  ["Enter on a phone", { key: "Enter" }, true, false],
  ["Ctrl+Enter on a tablet with keys", { key: "Enter", ctrlKey: true }, true, true],
  ["a letter", { key: "e" }, false, false],
]) {
  test(`${what} ${expected ? "sends" : "does not send"}`, () => {
    assert.equal(isSendKey(keys, isTouch), expected);
  });
}

test("what is left is counted near the limit, in characters as the server counts", () => {
  assert.deepEqual(
    ["a".repeat(89), "a".repeat(90), "a".repeat(103), "🛋".repeat(60), "🛋".repeat(95)]
      .map((text) => countdown(text, 100)),
    [null, 10, -3, null, 5],
  );
});

test("what is sent is trimmed, and whole characters only", () => {
  assert.deepEqual(["  a \n", "\n \t", "a\0b"].map(cleaned), ["a", "", "ab"]);
  if ("".toWellFormed) assert.equal(cleaned("a\ud83d"), "a\ufffd");
});

test("ids are made with and without a secure context", () => {
  const insecure = { getRandomValues: (bytes) => bytes.fill(10) };
  assert.equal(newId(insecure), "0a".repeat(16));
  assert.match(newId(), /^[A-Za-z0-9_-]{1,100}$/);
  assert.notEqual(newId(), newId());
});

for (const [what, before, now, expected] of [
  ["at the end", { following: false, top: 0 }, { top: 900, end: 1600, viewport: 700 }, true],
  ["beyond, at the small print", { following: false, top: 0 }, { top: 1000, end: 1600, viewport: 700 }, true],
  ["scrolled up", { following: true, top: 900 }, { top: 400, end: 1600, viewport: 700 }, false],
  ["further up, then down a little", { following: false, top: 400 }, { top: 500, end: 1600, viewport: 700 }, false],
  ["overtaken by a long answer", { following: true, top: 900 }, { top: 900, end: 1900, viewport: 700 }, true],
]) {
  test(`a reader ${what} is ${expected ? "" : "not "}followed`, () => {
    assert.equal(isFollowing(before, now), expected);
  });
}

test("the keyboard hides what the visual viewport lacks, except when zoomed in", () => {
  assert.deepEqual(
    [
      { height: 400, offsetTop: 0, scale: 1 },
      { height: 400, offsetTop: 100, scale: 1 },
      { height: 800, offsetTop: 0, scale: 1 },
      { height: 400, offsetTop: 0, scale: 2 },
    ].map((viewport) => hiddenHeight(800, viewport)),
    [400, 300, 0, 0],
  );
});
