import assert from "node:assert/strict";
import { test } from "node:test";

import {
  accepted, after, answer, AT, delta, done, failure, question, sent, sessionState,
} from "./builders.js";

const ids = (messages) => messages.map(({ id }) => id);

test("a question goes from pending to the transcript when it is accepted", () => {
  const before = after([sent()]);
  assert.deepEqual([ids(before.pending), ids(before.messages)], [["q1"], []]);
  const state = after([accepted()], before);
  assert.deepEqual([ids(state.pending), ids(state.messages), state.waiting], [[], ["q1"], ["q1"]]);
});

test("an accepted message that another path brought first is not doubled", () => {
  const state = after([sent(), done(question()), accepted()]);
  assert.deepEqual([ids(state.pending), ids(state.messages), state.waiting], [[], ["q1"], ["q1"]]);
});

test("an answer grows, then is replaced by what the server says it is", () => {
  const writing = after([sent(), accepted(), delta(0, "Bon"), delta(3, "jour")]);
  assert.equal(writing.draft.text, "Bonjour");
  const state = after([done(answer("a1", "Bonjour !"))], writing);
  assert.deepEqual([state.draft, state.waiting, state.messages[1].text], [null, [], "Bonjour !"]);
});

test("a delta of a finished answer is late and changes nothing", () => {
  const state = after([done(question()), done(answer())]);
  assert.equal(after([delta(0, "Bon")], state), state);
});

test("a gap asks for the state once, and what came meanwhile is not lost", () => {
  const writing = after([sessionState([question()], { waiting: ["q1"] }), delta(0, "Un ")]);
  const gap = after([delta(9, "gris, ")], writing);
  assert.deepEqual([gap.syncing, gap.draft.text], [true, "Un "]);
  const more = after([delta(15, "à 890 €")], gap);
  const draft = { id: "a1", text: "Un canapé" };
  const state = after([sessionState([question()], { waiting: ["q1"], draft })], more);
  assert.deepEqual([state.draft.text, state.syncing, state.buffered], [
    "Un canapégris, à 890 €", false, [],
  ]);
});

test("a delta still too far ahead of the state is kept for the next one", () => {
  const gap = after([sessionState([question()], { waiting: ["q1"] }), delta(9, "gris")]);
  const early = after([sessionState([question()], { waiting: ["q1"] })], gap);
  assert.deepEqual([early.syncing, early.draft], [false, null]);
  const draft = { id: "a1", text: "Un canapé" };
  const state = after([sessionState([question()], { waiting: ["q1"], draft })], early);
  assert.equal(state.draft.text, "Un canapégris");
});

test("the server's state replaces everything but what it does not know yet", () => {
  const before = after([sent("q1"), accepted("q1"), sent("q2", "Et ?"), sent("q3", "Allô"), delta(0, "x")]);
  const state = after([sessionState([question("q0"), question("q2", "Et ?")])], before);
  assert.deepEqual([ids(state.messages), ids(state.pending), state.draft], [["q0", "q2"], ["q3"], null]);
});

test("an answer that begins again from nothing is shown from nothing", () => {
  const before = after([sessionState([question()], { waiting: ["q1"] }), delta(0, "Un canapé")]);
  const state = after([sessionState([question()], { waiting: ["q1"] }), delta(0, "Deux")], before);
  assert.equal(state.draft.text, "Deux");
});

test("a failed question keeps its error until it is asked again under the same id", () => {
  const failed = after([sent(), accepted(), failure("q1", "assistant_unavailable", { retry_after_s: 3 })]);
  assert.deepEqual(failed.waiting, []);
  assert.deepEqual(failed.failed.get("q1"), {
    code: "assistant_unavailable", message: "Vous pouvez réessayer.", retryAt: AT + 3000,
  });
  const state = after([{ type: "local.retried", id: "q1" }], failed);
  assert.deepEqual([state.failed.size, state.waiting, ids(state.messages)], [0, ["q1"], ["q1"]]);
});

test("a question refused before it was stored stays pending with its error", () => {
  const state = after([sent(), failure("q1", "rate_limited")]);
  assert.deepEqual([state.messages, state.pending[0].error.code], [[], "rate_limited"]);
  assert.equal(after([{ type: "local.retried", id: "q1" }], state).pending[0].error, null);
  assert.deepEqual(after([{ type: "local.dropped", id: "q1" }], state).pending, []);
});

test("an id that is a word of the language is only an id", () => {
  const state = after([sent("__proto__"), accepted("__proto__"), failure("__proto__")]);
  assert.equal(state.failed.get("__proto__").code, "assistant_timeout");
  assert.equal(after([{ type: "constructor" }], state), state);
});

test("failures told by the state are as good as those told live", () => {
  const failed = [{ id: "q1", code: "assistant_timeout", message: "Réessayez." }];
  const state = after([sessionState([question()], { failed })]);
  assert.equal(state.failed.get("q1").message, "Réessayez.");
});

test("an error about no message is a notice, until the next message", () => {
  const state = after([{ type: "error", code: "invalid_json", message: "Illisible." }]);
  assert.equal(state.notice.message, "Illisible.");
  assert.equal(after([sent()], state).notice, null);
});

test("after a takeover the assistant's draft is gone and nobody waits for it", () => {
  const before = after([sent(), accepted(), delta(0, "Je pense")]);
  const state = after([{ type: "speaker.changed", speaker: "adviser", name: "Claire" }], before);
  assert.deepEqual([state.draft, state.waiting, state.speaker, state.name, state.syncing], [
    null, [], "adviser", "Claire", true,
  ]);
  const next = after([sent("q2"), accepted("q2")], state);
  assert.deepEqual(next.waiting, [], "no spinner while a person answers");
});

const CLAIRE = { speaker: "adviser", name: "Claire" };
const taken = { type: "speaker.changed", ...CLAIRE };
const system = (id, text) => question(id, text, { author: "system" });

test("a takeover in mid-answer leaves what was written, who took over, and no spinner", () => {
  const cut = answer("a1", "Je pen", { interrupted: true });
  const line = system("s1", "Claire, du magasin, vous répond maintenant.");
  const before = after([sent(), accepted(), delta(0, "Je pense")]);
  const state = after([
    done(cut), sessionState([question(), cut, line], CLAIRE), taken, done(line), delta(8, " que"),
  ], before);
  assert.deepEqual(ids(state.messages), ["q1", "a1", "s1"]);
  assert.deepEqual([state.draft, state.waiting, state.syncing, state.name], [null, [], false, "Claire"]);
});

test("an adviser's words come under their name, and the assistant is waited for after them", () => {
  const words = { ...answer("v1", "Bonjour"), author: "adviser", reply_to: "", name: "Claire" };
  const held = after([sessionState([question()], CLAIRE), done(words)]);
  assert.deepEqual([held.messages[1].name, held.waiting], ["Claire", []]);
  const back = after([
    sessionState([question(), words, system("s2", "L'assistant (IA) reprend la conversation.")]),
    { type: "speaker.changed", speaker: "assistant", name: "" }, sent("q2"), accepted("q2"),
  ], held);
  assert.deepEqual([back.speaker, back.name, back.waiting], ["assistant", "", ["q2"]]);
});

test("an adviser is asked for once, until one comes", () => {
  const asked = after([sessionState([question()]), { type: "adviser.asked" }]);
  assert.equal(asked.asked, true);
  assert.equal(after([sessionState([question()], { asked: true })]).asked, true);
  assert.equal(after([taken], asked).asked, false);
});

for (const reason of ["expired", "ended", "erased"]) {
  test(`a conversation ${reason} says so and hears nothing more`, () => {
    const state = after([sessionState([question()]), sent("q2"), { type: "session.ended", reason }]);
    assert.deepEqual([state.ended, state.pending, state.waiting], [reason, [], []]);
    assert.equal(after([done(answer())], state), state);
    assert.equal(state.messages.length, reason === "erased" ? 0 : 1);
  });
}

test("an empty state where messages were means that the conversation expired", () => {
  const state = after([sessionState([question()]), sessionState([])]);
  assert.deepEqual([state.ended, ids(state.messages)], ["expired", ["q1"]]);
});

test("an unsent message alone does not make a new conversation an expired one", () => {
  assert.equal(after([sent(), sessionState([])]).ended, "");
});

test("a closed conversation is read, and is over", () => {
  const state = after([sessionState([question()], { ended: true })]);
  assert.deepEqual([state.ended, ids(state.messages)], ["ended", ["q1"]]);
});

test("a session the server does not find is over", () => {
  assert.equal(after([sent(), failure("q1", "session_not_found")]).ended, "expired");
});

test("memory is a downgrade only after Redis was there", () => {
  const memory = sessionState([], { storage_backend: "memory" });
  assert.equal(after([memory]).degraded, false);
  const state = after([sessionState([]), memory, memory]);
  assert.equal(state.degraded, true);
  assert.equal(after([sessionState([])], state).degraded, false);
});

test("a tool shows until words come", () => {
  const tool = { type: "tool.started", name: "search_products", label: "Recherche…" };
  const state = after([sent(), accepted(), tool]);
  assert.equal(state.tool, "Recherche…");
  assert.equal(after([delta(0, "Un")], state).tool, "");
});

test("a cut forgets what only the live socket knew", () => {
  const before = after([sent(), accepted(), delta(9, "x"), { type: "local.stopping" }]);
  const state = after([{ type: "local.closed" }], before);
  assert.deepEqual([state.syncing, state.stopping], [false, false]);
});
