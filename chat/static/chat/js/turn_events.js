/** What the events of one question and its answer do to the state (transcript_state.js). */
import { withDelta } from "./draft.js";
import { failureOf, has, messageOf, placed, withError, without } from "./messages.js";

export function onSent(state, { message }) {
  return { ...state, pending: [...state.pending, message], notice: null };
}

export function onAccepted(state, { id }) {
  const sent = state.pending.find((message) => message.id === id);
  const isNew = sent && !has(state.messages, id);
  return {
    ...state,
    messages: isNew ? [...state.messages, messageOf(sent)] : state.messages,
    pending: without(state.pending, id),
    waiting: withQuestion(state, id),
    touched: true,
  };
}

export function onDelta(state, delta) {
  if (has(state.messages, delta.id)) return state;
  const { draft, gap } = withDelta(state.draft, delta);
  if (draft === state.draft && !gap) return state;
  const syncing = state.syncing || gap;
  const buffered = syncing ? [...state.buffered, delta] : state.buffered;
  return { ...state, draft, syncing, buffered, tool: "", touched: true };
}

/** Apply a delta kept while `session.sync` was under way; one still too far ahead stays kept. */
export function replayed(state, delta) {
  if (has(state.messages, delta.id)) return state;
  const { draft, gap } = withDelta(state.draft, delta);
  return gap ? { ...state, buffered: [...state.buffered, delta] } : { ...state, draft };
}

export function onDone(state, { message }) {
  const next = {
    ...state,
    messages: placed(state.messages, message),
    pending: without(state.pending, message.id),
    touched: true,
  };
  if (message.author === "customer") return { ...next, waiting: withQuestion(next, message.id) };
  return message.author === "assistant" ? answered(next, message) : next;
}

export function onError(state, event) {
  if (event.code === "session_not_found") return null;
  const failure = failureOf(event, event.at);
  if (!event.id) return { ...state, notice: failure };
  if (has(state.pending, event.id)) {
    return { ...state, pending: withError(state.pending, event.id, failure) };
  }
  return {
    ...dropDraft(state),
    failed: new Map(state.failed).set(event.id, failure),
    waiting: state.waiting.filter((id) => id !== event.id),
  };
}

export function onRetried(state, { id }) {
  if (has(state.pending, id)) {
    return { ...state, pending: withError(state.pending, id, null), notice: null };
  }
  const failed = new Map(state.failed);
  failed.delete(id);
  return { ...state, failed, waiting: withQuestion({ ...state, failed }, id), notice: null };
}

/** Nothing more is written of the answer; what the transcript keeps of it is asked for. */
export function dropDraft(state) {
  const syncing = state.syncing || state.draft !== null;
  return { ...state, draft: null, tool: "", stopping: false, syncing, buffered: [] };
}

function answered(state, { id, reply_to: questionId }) {
  const failed = new Map(state.failed);
  failed.delete(questionId);
  return {
    ...state,
    failed,
    draft: state.draft?.id === id ? null : state.draft,
    buffered: state.buffered.filter((delta) => delta.id !== id),
    waiting: state.waiting.filter((waitingId) => waitingId !== questionId),
    tool: "",
    stopping: false,
  };
}

function withQuestion(state, id) {
  const ended = state.speaker === "adviser" || state.failed.has(id) ||
    state.messages.some((message) => message.reply_to === id);
  return ended || state.waiting.includes(id) ? state.waiting : [...state.waiting, id];
}
