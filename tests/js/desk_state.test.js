import assert from "node:assert/strict";
import { test } from "node:test";

import { badgeOf, modeOf, reduceDesk, UNKNOWN } from "../../chat/static/chat/desk/state.js";
import { deskItems } from "../../chat/static/chat/desk/items.js";

const MESSAGES = [
  { id: "q1", author: "customer", text: "Bonjour", html: "", sent_at: "2026-11-23T09:00:00.000Z" },
  { id: "a1", author: "assistant", text: "Oui", html: "", sent_at: "2026-11-23T09:00:05.000Z", reply_to: "q1" },
];

function deskState(changes = {}) {
  return {
    type: "desk.state", at: Date.parse("2026-11-23T09:01:00Z"), messages: MESSAGES, draft: null,
    speaker: "assistant", name: "", expires_at: "2026-11-24T09:00:05.000Z", storage_backend: "redis",
    waiting: [], failed: [], ended: false, asked: false, ref: "0", asides: [], holder: null,
    asked_at: null, language: "fr", ...changes,
  };
}

const play = (...events) => events.reduce(reduceDesk, UNKNOWN);
const aside = (id, at, changes = {}) => ({ id, kind: "note", author: "Claire", text: id, at, data: {}, ...changes });

test("what is held decides what may be done", () => {
  assert.equal(modeOf(play(deskState())), "free");
  assert.equal(modeOf(play(deskState({ holder: { name: "Claire", mine: true } }))), "mine");
  assert.equal(modeOf(play(deskState({ holder: { name: "Claire", mine: false } }))), "other");
  assert.equal(modeOf(play(deskState({ ended: true }))), "ended");
  assert.equal(modeOf(play(deskState(), { type: "session.ended", reason: "erased" })), "gone");
});

test("messages that are not shown are counted, until they are loaded", () => {
  const shown = play(deskState({ has_earlier: true, total: 52 }));
  assert.equal(shown.before + shown.talk.messages.length, 52);
  const older = [{ ...MESSAGES[0], id: "q0" }];
  const more = { messages: [...older, ...MESSAGES] };
  const loaded = reduceDesk(shown, { type: "local.earlier", more, at: 0 });
  assert.deepEqual([loaded.before, loaded.talk.messages.length], [49, 3]);
  assert.equal(reduceDesk(loaded, { type: "session.ended", reason: "erased" }).before, 0);
});

test("of two advisers of one name only the server tells which one holds", () => {
  const taken = play(deskState(), { type: "speaker.changed", speaker: "adviser", name: "Claire", at: 0 });
  assert.deepEqual(taken.holder, { name: "Claire", mine: false });
  const told = reduceDesk(taken, deskState({ speaker: "adviser", name: "Claire", holder: { name: "Claire", mine: true } }));
  const again = reduceDesk(told, { type: "speaker.changed", speaker: "adviser", name: "Claire", at: 1 });
  assert.equal(again.holder.mine, true);
  assert.equal(reduceDesk(again, { type: "speaker.changed", speaker: "assistant", name: "", at: 2 }).holder, null);
});

test("an aside that comes twice is kept once", () => {
  const note = aside("n1", "2026-11-23T09:00:02.000Z");
  const state = play(deskState(), { type: "aside.added", aside: note });
  assert.equal(reduceDesk(state, { type: "aside.added", aside: note }), state);
  assert.equal(reduceDesk(state, deskState({ asides: [note] })).asides.length, 1);
});

test("an erasure leaves nothing, of a conversation that had ended too", () => {
  const ended = play(deskState({ ended: true, asides: [aside("n1", "2026-11-23T09:00:02.000Z")] }));
  assert.equal(ended.talk.messages.length, 2);
  const erased = reduceDesk(ended, { type: "session.ended", reason: "erased" });
  assert.deepEqual([erased.talk.messages, erased.asides, erased.talk.ended], [[], [], "erased"]);
});

test("deltas are applied by their offset, once", () => {
  const delta = { type: "message.delta", id: "a2", offset: 0, text: "🛋 Bon" };
  const state = play(deskState({ waiting: ["q2"] }), delta, delta, { ...delta, offset: 5, text: "jour" });
  assert.equal(state.talk.draft.text, "🛋 Bonjour");
  const gap = reduceDesk(state, { ...delta, offset: 20, text: "…" });
  assert.equal(gap.talk.syncing, true);
});

test("a badge says the first that applies", () => {
  const holder = { name: "Claire", mine: false };
  assert.equal(badgeOf(play(deskState({ ended: true, holder }))), "ended");
  assert.equal(badgeOf(play(deskState({ holder, asked_at: "2026-11-23T09:00:00.000Z" }))), "held");
  assert.equal(badgeOf(play(deskState({ asked_at: "2026-11-23T09:00:00.000Z", waiting: ["q1"] }))), "asked");
  assert.equal(badgeOf(play(deskState(), { type: "adviser.asked", at: 0 })), "asked");
  assert.equal(badgeOf(play(deskState({ waiting: ["q1"] }))), "answering");
  assert.equal(badgeOf(play(deskState())), "idle");
  const cut = [MESSAGES[0], { ...MESSAGES[1], interrupted: true }];
  assert.equal(badgeOf(play(deskState({ messages: cut }))), "interrupted");
});

test("what was noted stands at its hour, before what is being written", () => {
  const state = play(deskState({
    draft: { id: "a2", text: "Je" },
    waiting: ["q2"],
    asides: [aside("between", "2026-11-23T09:00:02.000Z"), aside("after", "2026-11-23T09:00:30.000Z", { kind: "event" })],
  }));
  const items = deskItems(state, Date.parse("2026-11-23T09:01:00Z"));
  assert.deepEqual(items.map(({ key }) => key), [items[0].key, "q1", "aside-between", "a1", "aside-after", "a2"]);
  assert.equal(items[0].kind, "day");
});

test("numbers of a turn stand under its answer, or under a question without one", () => {
  const numbers = (data) => aside("t", "2026-11-23T09:00:06.000Z", { kind: "turn", data });
  const of = (data, key) => deskItems(play(deskState({ asides: [numbers(data)] })), 0)
    .find((item) => item.key === key).numbers;
  const turn = {
    question_id: "q1", answer_id: "a1", ending: "done", first_text_ms: 340, total_ms: 2100,
    tools: ["search_products"], prompt_tokens: 812, completion_tokens: 143,
  };
  assert.equal(of(turn, "a1"), "premier mot 340 ms · en tout 2,1 s · outils : search_products · 812 + 143 jetons");
  assert.equal(of(turn, "q1"), "");
  const failed = { ...turn, answer_id: "a9", ending: "assistant_timeout", first_text_ms: null, tools: [], prompt_tokens: null };
  assert.equal(of(failed, "q1"), "en tout 2,1 s · échec : assistant_timeout");
});
