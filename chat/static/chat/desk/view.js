/** One line of the desk's transcript: those of the customer's page, and what stands beside it. */
import { timeLabel } from "../js/dates.js";
import { setShown, setText } from "../js/dom.js";
import { createMessageView } from "../js/message_view.js";

/** @param {HTMLElement} root holds one <template data-line="…"> per kind and author */
export function createDeskView(root, language) {
  const view = createMessageView(root, language);
  return {
    make: (item) => view.make(item.kind === "message" ? item : { kind: item.kind }),
    fill(element, item, before, now) {
      if (item.kind === "note" || item.kind === "event") return fillAside(element, item, language);
      view.fill(element, item, before, now);
      if (item.kind === "message") fillNumbers(element, item);
      return undefined;
    },
  };
}

function fillNumbers(element, { numbers }) {
  const line = element.querySelector("[data-numbers]");
  setText(line, numbers);
  setShown(line, numbers !== "");
}

function fillAside(element, { text, author, at }, language) {
  setText(element.querySelector("[data-aside-text]"), text);
  setText(element.querySelector("[data-aside-author]"), author);
  setShown(element.querySelector("[data-aside-by]"), author !== "");
  const time = element.querySelector("[data-aside-time]");
  time.dateTime = at;
  setText(time, timeLabel(at, language));
}
