import assert from "node:assert/strict";
import { test } from "node:test";

import { toldOfOlder } from "../../chat/static/chat/earlier/state.js";
import { reduce } from "../../chat/static/chat/js/transcript_state.js";
import { after, answer, AT, question, sessionState } from "./builders.js";

const ids = (messages) => messages.map(({ id }) => id);
const tell = (state, event) => reduce(state, toldOfOlder(state, { at: AT, ...event }));
const newest = (messages, more) => sessionState(messages, { has_earlier: true, ...more });
const loaded = (before, messages, more) => (
  { type: "messages.loaded", before, messages, failed: [], has_earlier: false, ...more }
);

test("older messages stand before the others, once each", () => {
  const state = after([newest([question("q3")])]);
  const whole = tell(state, loaded("q3", [question("q1"), question("q2"), question("q3")]));
  assert.deepEqual([ids(whole.messages), whole.hasEarlier], [["q1", "q2", "q3"], false]);
});

test("older messages asked for before the transcript began elsewhere are not shown", () => {
  const state = after([newest([question("q5")])]);
  assert.deepEqual(ids(tell(state, loaded("q3", [question("q1")])).messages), ["q5"]);
});

test("a state keeps the older messages that it follows, with what failed among them", () => {
  const failed = [{ id: "q1", code: "assistant_timeout", message: "Trop tard" }];
  const state = tell(after([newest([question("q2")])]), loaded("q2", [question("q1")], { failed }));
  const next = tell(state, newest([question("q2"), answer("a2")]));
  assert.deepEqual([ids(next.messages), next.hasEarlier], [["q1", "q2", "a2"], false]);
  assert.equal(next.failed.get("q1").code, "assistant_timeout");
});

test("a state with a gap before it replaces all, and says that there is more", () => {
  const state = after([newest([question("q1")])]);
  const next = tell(state, newest([question("q9")]));
  assert.deepEqual([ids(next.messages), next.hasEarlier], [["q9"], true]);
});

test("a whole state, or one of a server that knows no pages, replaces all", () => {
  const state = tell(after([newest([question("q2")])]), loaded("q2", [question("q1")]));
  for (const whole of [sessionState([question("q2")]), sessionState([question("q2")], { has_earlier: false })]) {
    const next = tell(state, whole);
    assert.deepEqual([ids(next.messages), next.hasEarlier], [["q2"], false]);
  }
});
