import assert from "node:assert/strict";
import { test } from "node:test";

import { keepDrafts } from "../../chat/static/chat/desk/drafts.js";
import { outcomeOf } from "../../chat/static/chat/desk/forms.js";
import { badgeWords, languageWords, milliseconds, timeLeft } from "../../chat/static/chat/desk/words.js";

const NOW = Date.parse("2026-11-23T09:00:00Z");

for (const [leftS, expected] of [
  [-1, "expirée"], [0, "expirée"], [59, "59 s"], [300, "5 min"], [3600, "1 h"],
  [2 * 3600 + 300, "2 h 05"], [86_399, "23 h 59"], [3 * 86_400, "3 j"],
]) {
  test(`${leftS} s are left: ${expected}`, () => {
    assert.equal(timeLeft(new Date(NOW + leftS * 1000).toISOString(), NOW), expected);
  });
}

test("an unknown end is no time left", () => assert.equal(timeLeft("", NOW), "expirée"));

test("words of the desk", () => {
  assert.deepEqual([milliseconds(340.4), milliseconds(2100)], ["340 ms", "2,1 s"]);
  assert.equal(badgeWords("held", { name: "Claire" }), "tenue par Claire");
  assert.equal(badgeWords("asked", null), "attend un conseiller");
  assert.deepEqual([languageWords("fr"), languageWords("")], ["français", "inconnue"]);
});

test("the server's own words are shown, and something is said in any case", () => {
  assert.deepEqual(outcomeOf(200, { message: "Fait." }), { ok: true, message: "Fait." });
  assert.deepEqual(outcomeOf(409, { message: "Claire tient." }), { ok: false, message: "Claire tient." });
  assert.match(outcomeOf(0, {}).message, /n’a pas eu lieu/);
});

function fieldWith(value = "") {
  return Object.assign(new EventTarget(), { value, dataset: { draft: "say" } });
}

function storage() {
  const kept = new Map();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
}

function drafts(field, store) {
  return keepDrafts({ querySelectorAll: () => [field] }, "r1", () => store);
}

test("what was typed outlives the page, what was sent does not", () => {
  const store = storage();
  const field = fieldWith();
  const kept = drafts(field, store);
  field.value = "Bonjour";
  field.dispatchEvent(new Event("input"));
  const reloaded = fieldWith();
  drafts(reloaded, store);
  assert.equal(reloaded.value, "Bonjour");
  kept.sent(field, "Bonjour");
  assert.deepEqual([field.value, store.kept.size], ["", 0]);
});

test("what was typed while the message went out stays", () => {
  const store = storage();
  const field = fieldWith("Bonjour Camille");
  drafts(field, store).sent(field, "Bonjour");
  assert.deepEqual([field.value, [...store.kept.values()]], ["Bonjour Camille", ["Bonjour Camille"]]);
});

test("what the server gave back is not overwritten", () => {
  const store = storage();
  store.setItem("desk.r1.say", "ancien");
  const field = fieldWith("refusé");
  drafts(field, store);
  assert.equal(field.value, "refusé");
});

test("a browser without storage writes all the same", () => {
  const field = fieldWith();
  const kept = keepDrafts({ querySelectorAll: () => [field] }, "r1", () => { throw new Error("no"); });
  field.value = "Bonjour";
  field.dispatchEvent(new Event("input"));
  kept.forget();
  assert.equal(field.value, "");
});
