/**
 * What the desk shows of a conversation, one item per line: those of the customer's page, the
 * numbers of each turn under its answer, and what was noted, at its hour. No DOM.
 *
 * `chat/web/desk/timeline.py` does the same for the page as the server writes it.
 *
 * @typedef {import("../js/types.d.ts").Item & {numbers?: string}
 *   | {kind: "note" | "event", key: string, author: string, text: string, at: string}} DeskItem
 */
import { dayKey } from "../js/dates.js";
import { itemsOf } from "../js/items.js";
import { numbersOf } from "./words.js";

/** @returns {DeskItem[]} */
export function deskItems({ talk, asides }, now) {
  const turns = turnsOf(asides, new Set(talk.messages.map(({ id }) => id)));
  const said = itemsOf(talk, now).map((item) => (
    item.kind === "message" ? { ...item, numbers: numbersOf(turns.get(item.key)) } : item
  ));
  const since = talk.hasEarlier ? Date.parse(talk.messages[0].sent_at) : -Infinity;
  const beside = asides.filter(({ kind, at }) => kind !== "turn" && Date.parse(at) >= since);
  return woven(said, beside.map(itemOfAside));
}

/** @returns {Map<string, object>} numbers by the answer, or by the question that got none */
function turnsOf(asides, known) {
  return new Map(asides.filter(({ kind }) => kind === "turn").map(({ data }) => (
    [known.has(data.answer_id) ? data.answer_id : data.question_id, data]
  )));
}

function itemOfAside({ id, kind, author, text, at }) {
  return { kind, key: `aside-${id}`, author, text, at };
}

function woven(said, beside) {
  const rest = [...beside];
  const items = [];
  for (const item of said) {
    while (rest.length > 0 && comesBefore(rest[0], item)) items.push(rest.shift());
    items.push(item);
  }
  return [...items, ...rest];
}

function comesBefore(aside, item) {
  if (item.kind === "typing" || item.isWriting) return true;
  if (!item.at || Date.parse(aside.at) >= Date.parse(item.at)) return false;
  return item.kind !== "day" || dayKey(aside.at) !== dayKey(item.at);
}
