import assert from "node:assert/strict";
import { test } from "node:test";

import { framesOf, openStorage, readOutbox, writeOutbox } from "../../chat/static/chat/js/outbox.js";
import { accepted, after, failure, question, sent, sessionState } from "./builders.js";
import { fakeSessionStorage } from "./fakes.js";

function tab() {
  const kept = fakeSessionStorage();
  return { kept, storage: openStorage(() => kept) };
}

test("a message not accepted survives a reload, and is sent again with its id", () => {
  const { storage } = tab();
  writeOutbox(storage, after([sent("q1", "Où est ma commande ?")]).pending);
  assert.deepEqual(framesOf(readOutbox(storage)), [
    { type: "message.send", id: "q1", text: "Où est ma commande ?" },
  ]);
});

test("an accepted message leaves nothing behind", () => {
  const { storage, kept } = tab();
  writeOutbox(storage, after([sent()]).pending);
  writeOutbox(storage, after([sent(), accepted()]).pending);
  assert.equal(kept.getItem("chat.outbox"), null);
});

test("what the transcript has already is not sent again", () => {
  const state = after([sent("q1"), sent("q2"), sessionState([question("q1")])]);
  assert.deepEqual(framesOf(state.pending).map(({ id }) => id), ["q2"]);
});

test("a refused message waits for its author", () => {
  const state = after([sent("q1"), sent("q2"), failure("q1", "rate_limited")]);
  assert.deepEqual(framesOf(state.pending).map(({ id }) => id), ["q2"]);
});

test("what is damaged or strange in the storage is left out", () => {
  const { storage, kept } = tab();
  const good = { id: "q1", text: "Bonjour", at: "2026-11-23T09:00:00.000Z" };
  for (const [text, expected] of [
    ["{", []], ["null", []], ["{}", []], [JSON.stringify([1, null, { id: 3 }, good]), [good]],
  ]) {
    kept.setItem("chat.outbox", text);
    assert.deepEqual(readOutbox(storage), expected, text);
  }
});

test("a browser that forbids storage forgets, and nothing breaks", () => {
  const storage = openStorage(() => { throw new Error("SecurityError"); });
  storage.write("draft", "Bonjour");
  storage.clear();
  assert.deepEqual([storage.read("draft"), readOutbox(storage)], ["", []]);
});

test("clearing leaves no word of the customer", () => {
  const { storage, kept } = tab();
  storage.write("draft", "brouillon");
  writeOutbox(storage, after([sent()]).pending);
  storage.clear();
  assert.deepEqual([kept.getItem("chat.draft"), kept.getItem("chat.outbox")], [null, null]);
});
