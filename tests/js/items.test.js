import assert from "node:assert/strict";
import { test } from "node:test";

import { itemsOf, questionOf, rememberSaid } from "../../chat/static/chat/js/items.js";
import {
  accepted, after, answer, AT, delta, done, failure, question, sent, sessionState,
} from "./builders.js";

const kinds = (state) => itemsOf(state, AT).map(({ kind }) => kind);
const line = (state, key, now = AT) => itemsOf(state, now).find((item) => item.key === key);

test("a day is named once, before its first message", () => {
  const yesterday = question("q0", "Hier", { sent_at: "2026-11-22T09:00:00.000Z" });
  const state = after([sessionState([yesterday, question(), answer()])]);
  assert.deepEqual(kinds(state), ["day", "message", "day", "message", "message"]);
});

test("after a question the assistant prepares its answer, then writes it", () => {
  const asked = after([sent(), accepted()]);
  assert.deepEqual(kinds(asked), ["day", "message", "typing"]);
  const writing = after([delta(0, "Bon")], asked);
  assert.deepEqual(kinds(writing), ["day", "message", "message"]);
  assert.equal(line(writing, "a1").isWriting, true);
});

test("a draft without a word yet is an answer being prepared", () => {
  const draft = { id: "a1", text: "" };
  const state = after([sessionState([question()], { waiting: ["q1"], draft })]);
  assert.deepEqual(kinds(state), ["day", "message", "typing"]);
});

test("a tool used in mid-answer is named below what is written", () => {
  const tool = { type: "tool.started", name: "search_products", label: "Recherche…" };
  const state = after([sent(), accepted(), delta(0, "Voyons"), tool]);
  assert.deepEqual(kinds(state).slice(-2), ["message", "typing"]);
  assert.equal(line(state, "typing").tool, "Recherche…");
});

test("a written answer keeps its key when it is done: its element stays", () => {
  const writing = after([sent(), accepted(), delta(0, "Bon")]);
  assert.equal(line(after([done(answer())], writing), "a1").when, "copy");
});

test("messages not accepted yet stand at the end", () => {
  const state = after([sent("q1"), accepted("q1"), sent("q2", "Et ?")]);
  assert.deepEqual([itemsOf(state, AT).at(-1).key, line(state, "q2").when], ["q2", "sending"]);
});

test("a failed question can be asked again, once the wait is over", () => {
  const state = after([sent(), accepted(), failure("q1", "assistant_unavailable", { retry_after_s: 3 })]);
  assert.deepEqual([line(state, "q1").when, line(state, "q1").waitS], ["error retry wait", 3]);
  const later = line(state, "q1", AT + 3000);
  assert.deepEqual([later.when, later.waitS], ["error retry", 0]);
});

test("a message that would be refused again is given back for change", () => {
  const state = after([sent(), failure("q1", "invalid_message")]);
  assert.equal(line(state, "q1").when, "error edit");
});

for (const [what, message, expected] of [
  ["interrupted", answer("a1", "Un can", { interrupted: true }), "copy interrupted again"],
  ["stopped before its first word", answer("a1", "", { interrupted: true }), "empty again"],
  ["whole", answer(), "copy"],
]) {
  test(`an answer ${what}`, () => {
    assert.equal(line(after([sessionState([question(), message])]), "a1").when, expected);
  });
}

test("asking again is not offered once something else was asked", () => {
  const cut = answer("a1", "Un can", { interrupted: true });
  const state = after([sessionState([question(), cut, question("q2", "Et ?")])]);
  assert.equal(line(state, "a1").when, "copy interrupted");
});

test("the question of an interrupted answer is found", () => {
  const cut = answer("a1", "Un can", { interrupted: true });
  assert.equal(questionOf(after([sessionState([question(), cut])]), "a1").text, "Bonjour");
  assert.equal(questionOf(after([sessionState([])]), "a1"), undefined);
});

test("while an adviser answers, nothing says that the assistant writes", () => {
  const state = after([
    sessionState([question()], { speaker: "adviser", name: "Claire", waiting: ["q1"] }),
  ]);
  assert.deepEqual(kinds(state), ["day", "message"]);
});

test("what was said is the same list while an answer is written, and another when it changes", () => {
  const saidItems = rememberSaid();
  const asked = after([sent(), accepted()]);
  const said = saidItems(asked, AT);
  const writing = after([delta(0, "Bon"), delta(3, "jour")], asked);
  assert.equal(saidItems(writing, AT), said);
  assert.equal(saidItems({ ...writing, waiting: [] }, AT + 60_000), said);
  assert.notEqual(saidItems(after([done(answer())], writing), AT), said);
});

test("what was said is named anew on another day, and each second while one failed", () => {
  const saidItems = rememberSaid();
  const state = after([sent(), accepted()]);
  const said = saidItems(state, AT);
  assert.notEqual(saidItems(state, AT + 24 * 3600 * 1000), said);
  const failed = after([failure("q1")], state);
  const before = saidItems(failed, AT);
  assert.notEqual(saidItems(failed, AT + 1000), before);
});
