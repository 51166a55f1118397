import assert from "node:assert/strict";
import { test } from "node:test";

import { draftOf, dropFirst, lengthOf, withDelta } from "../../chat/static/chat/js/draft.js";

test("lengths are counted in code points, as the server does", () => {
  assert.deepEqual(["", "été", "🛋️", "👩‍🔧", "a🛋b"].map(lengthOf), [0, 3, 2, 3, 3]);
});

test("dropping never cuts a character in two", () => {
  assert.deepEqual([-1, 0, 1, 2, 9].map((count) => dropFirst("🛋bé", count)), [
    "🛋bé", "🛋bé", "bé", "é", "",
  ]);
});

test("offsets after a character outside of the BMP are those of the server", () => {
  const first = withDelta(null, { id: "a1", offset: 0, text: "Un 🛋 " });
  const second = withDelta(first.draft, { id: "a1", offset: 5, text: "gris" });
  assert.deepEqual(second, { draft: { id: "a1", text: "Un 🛋 gris", length: 9 }, gap: false });
});

for (const [what, delta, text, gap] of [
  ["that follows", { offset: 7, text: " vous" }, "Bonjour vous", false],
  ["that overlaps", { offset: 3, text: "jour vous" }, "Bonjour vous", false],
  ["that came before", { offset: 0, text: "Bon" }, "Bonjour", false],
  ["that came twice", { offset: 0, text: "Bonjour" }, "Bonjour", false],
  ["that leaves a hole", { offset: 9, text: "ous" }, "Bonjour", true],
]) {
  test(`a delta ${what}`, () => {
    const draft = draftOf({ id: "a1", text: "Bonjour" });
    const result = withDelta(draft, { id: "a1", ...delta });
    assert.deepEqual([result.draft.text, result.gap], [text, gap]);
  });
}

test("another answer takes the place of one whose end was missed", () => {
  const result = withDelta(draftOf({ id: "a1", text: "Bon" }), { id: "a2", offset: 0, text: "Oui" });
  assert.deepEqual(result, { draft: { id: "a2", text: "Oui", length: 3 }, gap: true });
});
