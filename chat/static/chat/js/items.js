/**
 * What the transcript shows, one item per line, from what the page knows. No DOM. `Item`: types.d.ts
 */
import { dayKey } from "./dates.js";
import { isRetryable } from "./messages.js";

/**
 * @param {object} state of transcript_state.js
 * @param {number} now in ms
 * @returns {Item[]}
 */
export const itemsOf = (state, now) => [...saidItems(state, now), ...restItems(state, now)];

export function restItems(state, now) {
  return [...draftItems(state), ...state.pending.map((message) => pendingItem(message, now))];
}

/** @returns {typeof saidItems} gives the same list again until something in it differs */
export function rememberSaid() {
  let known = [];
  let items;
  return (state, now) => {
    const second = state.failed.size > 0 && Math.floor(now / 1000);
    const given = [state.messages, state.failed, state.speaker, dayKey(now), second];
    if (given.some((value, at) => value !== known[at])) items = saidItems(state, now);
    known = given;
    return items;
  };
}

function saidItems(state, now) {
  const asked = state.messages.findLastIndex(({ author }) => author === "customer");
  return withDays(state.messages.map((message, at) => (
    messageItem(message, { state, now, isLast: at > asked })
  )));
}

/** @returns the question that an interrupted answer was to, if the page has it */
export function questionOf(state, answerId) {
  const answer = state.messages.find(({ id }) => id === answerId);
  return state.messages.find(({ id }) => answer && id === answer.reply_to);
}

function withDays(items) {
  let shown = "";
  return items.flatMap((item) => {
    const day = item.at ? dayKey(item.at) : shown;
    if (day === shown) return [item];
    shown = day;
    return [{ kind: "day", key: `day-${day}`, at: item.at }, item];
  });
}

function messageItem(message, { state, now, isLast }) {
  const { id, author, name = "", text, html, sent_at: at, sources } = message;
  const failure = state.failed.get(id);
  const when = failure ? whenFailed(failure, now) : whenSaid(message, state, isLast);
  const item = { kind: "message", key: id, author, name, text, html, at, isWriting: false, when, sources };
  return { ...item, error: failure?.message ?? "", waitS: waitOf(failure, now) };
}

function whenSaid({ id, author, text, interrupted }, state, isLast) {
  if (author === "customer" || author === "system") return "";
  const copy = text ? "copy" : "";
  if (!interrupted) return copy;
  const again = isLast && state.speaker === "assistant" && questionOf(state, id) ? "again" : "";
  return [copy, text ? "interrupted" : "empty", again].filter(Boolean).join(" ");
}

function whenFailed({ code, retryAt }, now) {
  if (!isRetryable(code)) return "error edit";
  return retryAt > now ? "error retry wait" : "error retry";
}

function waitOf(failure, now) {
  return failure && failure.retryAt > now ? Math.ceil((failure.retryAt - now) / 1000) : 0;
}

function pendingItem({ id, text, at, error }, now) {
  return {
    kind: "message", key: id, author: "customer", name: "", text, html: "", at, isWriting: false,
    when: error ? whenFailed(error, now) : "sending",
    error: error?.message ?? "",
    waitS: waitOf(error, now),
  };
}

function draftItems({ draft, waiting, speaker, tool }) {
  const items = [];
  if (draft?.text) {
    items.push({
      kind: "message", key: draft.id, author: "assistant", name: "", text: draft.text, html: "",
      at: "", isWriting: true, when: "", error: "", waitS: 0,
    });
  }
  const isTyping = waiting.length > 0 && speaker === "assistant" && (!draft?.text || tool !== "");
  if (isTyping) items.push({ kind: "typing", key: "typing", tool });
  return items;
}
