/** The field in which the customer writes. */
import { lengthOf } from "./draft.js";
import { setShown, setText, showWhen } from "./dom.js";

/** From this part of the limit on, what is left is counted. */
const NEAR_LIMIT = 0.9;

/**
 * Whether a key press sends. Enter does, with Shift it breaks the line; never while an input method
 * composes (229: Safari says so late). On a touch keyboard, which has no Shift+Enter, it breaks.
 */
export function isSendKey(event, isTouch) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return !event.shiftKey && !event.altKey && !isTouch;
}

/** @returns {number | null} characters left (negative: too many), or null far from the limit */
export function countdown(text, maxChars) {
  if (text.length < maxChars * NEAR_LIMIT) return null;
  const length = lengthOf(text);
  return length < maxChars * NEAR_LIMIT ? null : maxChars - length;
}

/** @returns {string} what is sent of a text: trimmed, no half characters; "" for nothing */
export function cleaned(text) {
  const whole = text.toWellFormed ? text.toWellFormed() : text;
  return whole.replaceAll("\0", "").trim();
}

/**
 * @param {HTMLFormElement} form
 * @param {{maxChars: number, isTouch: boolean, storage: object}} options
 */
export function createComposer(form, { maxChars, isTouch, storage }) {
  const field = form.querySelector("[data-field]");
  const counter = form.closest("[data-dock]").querySelector("[data-counter]");
  if (!field.value) field.value = storage.read("draft");

  function changed() {
    storage.write("draft", field.value);
    const left = countdown(field.value.trim(), maxChars);
    setShown(counter, left !== null);
    if (left !== null) {
      showWhen(counter, left < 0 ? "over" : "left");
      counter.querySelectorAll("[data-count]").forEach((count) => setText(count, `${Math.abs(left)}`));
    }
    const isInvalid = String(left !== null && left < 0);
    if (field.getAttribute("aria-invalid") !== isInvalid) field.setAttribute("aria-invalid", isInvalid);
    fit(field);
  }

  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (!isSendKey(event, isTouch)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  changed();

  return {
    /** What the server put back in the field with an error. */
    given: cleaned(field.defaultValue),
    /** Go on writing; on a phone that would open the keyboard unasked. */
    focus: () => isTouch || field.focus(),
    /** @returns {string} what may be sent now, or "" */
    take() {
      const text = cleaned(field.value);
      if (lengthOf(text) > maxChars) return "";
      field.value = "";
      changed();
      return text;
    },
    /** Put a text back for its author to change or to keep, after what is there. */
    giveBack(text) {
      if (!text) return;
      field.value = [field.value.trim(), text].filter(Boolean).join("\n\n");
      changed();
    },
  };
}

/** Let the field grow with its text; the style sheet says how far, newer browsers do it alone. */
function fit(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
