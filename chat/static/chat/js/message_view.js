/** One line of the transcript as an element, cloned from the templates of _templates.html. */
import { dayLabel, timeLabel } from "./dates.js";
import { setShown, setText, showWhen } from "./dom.js";
import { showMarkdown, showPlain, showServerHtml } from "./markdown_view.js";

/**
 * @param {HTMLElement} root holds one <template data-line="…"> per kind and author
 * @param {string} language for hours and days
 * @returns {{make: (item) => HTMLElement, fill: (element, item, before, now) => void}}
 */
export function createMessageView(root, language) {
  const fills = { message: fillMessage, day: fillDay, typing: fillTyping };
  return {
    make(item) {
      const name = item.kind === "message" ? item.author : item.kind;
      const template = root.querySelector(`template[data-line="${name}"]`);
      return template.content.firstElementChild.cloneNode(true);
    },
    fill(element, item, before, now) {
      fills[item.kind](element, item, { before, now, language });
    },
  };
}

function fillMessage(element, item, { before, language }) {
  element.dataset.message = item.key;
  element.toggleAttribute("data-writing", item.isWriting);
  fillText(element.querySelector("[data-text]"), item, before);
  fillName(element, item.name);
  const time = element.querySelector("[data-time]");
  setShown(time, item.at !== "");
  if (item.at) {
    time.dateTime = item.at;
    setText(time, timeLabel(item.at, language));
  }
  setText(element.querySelector("[data-error]"), item.error);
  setText(element.querySelector("[data-wait]"), String(item.waitS));
  for (const button of element.querySelectorAll("[data-action=retry]")) {
    button.disabled = item.waitS > 0;
  }
  showWhen(element, item.when);
  const { sources } = item;
  if (sources?.length ?? sources) {
    import("../cards/cards.js").then(({ showSources }) => showSources(element, sources));
  }
}

function fillText(container, item, before) {
  if (before && before.text === item.text && before.html === item.html &&
    before.isWriting === item.isWriting) return;
  if (item.isWriting) showMarkdown(container, item.text);
  else if (item.html) showServerHtml(container, item.html);
  else showPlain(container, item.text);
}

function fillName(element, name) {
  setText(element.querySelector("[data-name]"), name);
  setShown(element.querySelector("[data-named]"), name !== "");
  setShown(element.querySelector("[data-unnamed]"), name === "");
}

function fillDay(element, { at }, { now, language }) {
  setText(element.querySelector("[data-day-label]"), dayLabel(at, now, language));
}

function fillTyping(element, { tool }) {
  setText(element.querySelector("[data-tool]"), tool);
  showWhen(element, tool ? "tool" : "writing");
}

/** @returns {object[]} MESSAGEs of docs/protocol.md, as the server wrote them into the page */
export function messagesIn(list) {
  return Array.from(list.querySelectorAll("[data-message]"), (line) => {
    const text = line.querySelector("[data-text]");
    return {
      id: line.dataset.message,
      author: line.dataset.author,
      name: line.querySelector("[data-name]")?.textContent ?? "",
      text: Array.from(text.children, ({ textContent }) => textContent).join("\n\n"),
      html: text.innerHTML,
      sent_at: new Date(line.querySelector("[data-time]").dateTime).toISOString(),
      interrupted: line.hasAttribute("data-interrupted"),
      reply_to: line.dataset.replyTo ?? "",
      sources: line.querySelector("[data-sources]") ?? undefined,
    };
  });
}
