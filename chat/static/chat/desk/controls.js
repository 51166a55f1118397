/** What may be done, and the facts beside the transcript, as they change. */
import { timeLabel } from "../js/dates.js";
import { setShown, setText, showWhen } from "../js/dom.js";
import { badgeOf, modeOf } from "./state.js";
import { badgeWords, languageWords, timeLeft } from "./words.js";

/** @param {HTMLElement} root the <div data-desk> */
export function createControls(root) {
  const badge = document.querySelector("[data-badge]");
  const controls = root.querySelectorAll("[data-controls]");
  const over = root.querySelector("[data-over]");
  let hasLostFocus = false;
  const fact = (name) => root.querySelector(`[data-fact="${name}"]`);

  function renderMode(state) {
    const mode = modeOf(state);
    if (mode === root.dataset.mode) return;
    root.dataset.mode = mode;
    const had = document.activeElement;
    controls.forEach((part) => showWhen(part, mode));
    hasLostFocus = had === document.body ? hasLostFocus : root.contains(had) && !had.checkVisibility();
    if (hasLostFocus) hasLostFocus = !focusIn(controls[0]);
  }

  function renderBadge(state) {
    const key = badgeOf(state);
    const kind = `badge badge--${key}`;
    if (badge.className !== kind) badge.className = kind;
    setText(badge, badgeWords(key, state.holder));
  }

  function renderFacts({ talk, before, holder, askedAt, language }, now) {
    setText(fact("speaker"), holder?.name ?? "Assistant (IA)");
    setText(fact("messages"), String(before + talk.messages.length));
    setText(fact("left"), timeLeft(talk.expiresAt, now));
    setText(fact("language"), languageWords(language));
    setText(fact("storage"), talk.backend === "redis" ? "Redis" : "mémoire");
    setShown(root.querySelector("[data-fact-row=asked]"), askedAt !== "");
    if (askedAt) setText(fact("asked"), timeLabel(askedAt, document.documentElement.lang));
  }

  return {
    render(state, now) {
      renderMode(state);
      renderBadge(state);
      setText(root.querySelector("[data-holder]"), state.holder?.name ?? "");
      setShown(over, state.talk.ended === "erased");
      if (state.talk.ended !== "erased") renderFacts(state, now);
    },
  };
}

/**
 * The button that was used is gone: whoever uses the keyboard goes on with what took its place.
 * @returns {boolean} whether anything did
 */
function focusIn(part) {
  const next = [...part.querySelectorAll("textarea, button")].find((item) => item.checkVisibility());
  next?.focus();
  return next !== undefined;
}
