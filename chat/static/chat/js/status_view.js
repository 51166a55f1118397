/** Everything around the transcript that says how things stand. Its sentences are in templates. */
import { isSoon, timeLabel } from "./dates.js";
import { setShown, setText, showWhen } from "./dom.js";

/**
 * @param {HTMLElement} root the <main data-chat>
 * @param {string} language for hours
 */
export function createStatusView(root, language) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const parts = {
    connection: part("connection"),
    speaker: part("speaker"),
    ask: part("ask"),
    asked: part("asked"),
    notice: part("notice"),
    ended: part("ended"),
    endedWay: part("ended-way"),
    expiry: part("expiry"),
    degraded: part("degraded"),
    stopButton: part("stop-button"),
    send: part("send"),
    empty: part("empty"),
  };

  function showEnd(reason) {
    if (!reason) return;
    setShown(parts.ended, true);
    setShown(parts.endedWay, true);
    showWhen(parts.ended, reason);
    parts.send.disabled = true;
  }

  function showExpiry({ expiresAt, ended }, now) {
    const isShown = !ended && isSoon(expiresAt, now);
    setShown(parts.expiry, isShown);
    if (isShown) setText(part("expiry-time"), timeLabel(expiresAt, language));
  }

  return {
    /**
     * @param {object} state of transcript_state.js
     * @param {import("./types.d.ts").Status} status of the connection
     * @param {boolean} isEmpty whether nothing was said yet
     */
    render(state, status, isEmpty, now) {
      setShown(parts.connection, status !== "stopped");
      if (parts.connection.dataset.connection !== status) {
        parts.connection.dataset.connection = status;
        showWhen(parts.connection, status);
      }
      setShown(parts.speaker, state.speaker === "adviser" && !state.ended);
      setText(parts.speaker.querySelector("[data-name]"), state.name);
      setShown(parts.ask, !isEmpty && !state.asked && state.speaker === "assistant" && !state.ended);
      setShown(parts.asked, state.asked && !state.ended);
      setShown(parts.notice, state.notice !== null);
      setText(parts.notice, state.notice?.message ?? "");
      setShown(parts.degraded, state.degraded && !state.ended);
      setShown(parts.stopButton, state.waiting.length > 0 && state.speaker === "assistant");
      parts.stopButton.disabled = state.stopping;
      setShown(parts.empty, isEmpty && !state.ended);
      if (!isEmpty && !state.ended) setShown(parts.ended, false);
      showEnd(state.ended);
      showExpiry(state, now);
    },
    /** @returns {string} the visible sentence of a part, for the screen reader */
    sentenceOf: (name) => parts[name].innerText.trim(),
  };
}

/** @returns {{speaker: string, name: string, asked: boolean}} who answers, or is waited for */
export function standingIn(root) {
  const speaker = root.querySelector("[data-speaker]");
  return {
    speaker: speaker.hidden ? "assistant" : "adviser",
    name: speaker.querySelector("[data-name]").textContent,
    asked: !root.querySelector("[data-asked]").hidden,
  };
}

/** @returns {{code: string, message: string} | null} the error that the server wrote, if any */
export function noticeIn(element) {
  return element.hidden ? null : { code: "", message: element.textContent.trim() };
}
