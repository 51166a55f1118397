/**
 * The recap of a ticket that is being made. Loaded with the first form; hears every event after.
 *
 * Its buttons send frames; without a connection the form around each of them is posted instead.
 */
import { createCard } from "./card.js";
import { WORDS } from "./words.js";

const GONE = new Set(["session.ended", "form.changed", "session.state"]);
let opened;

/**
 * @param {(frame: object) => boolean} send false: not connected
 * @param {object} event of docs/protocol.md
 */
export function hear(send, event) {
  const root = document.querySelector("[data-chat]");
  if (!root) return; // the desk shows no recap
  opened ??= start(root, send);
  opened(event);
}

function start(root, send) {
  const writtenByServer = root.querySelector("[data-recap]");
  const announcer = root.querySelector("[data-announcer]");
  const field = root.querySelector("[data-field]");
  const token = root.querySelector("[name=csrfmiddlewaretoken]").value;
  const card = createCard(token, (verb, more) => {
    if (!form) return true; // another tab was quicker
    const { id, version } = form;
    return send({ type: `ticket.${verb}`, id, version, ...more });
  });
  addStyle();
  if (writtenByServer) writtenByServer.replaceWith(card.node);
  else root.querySelector("[data-dock]").before(card.node);
  let form = null;
  let isFirst = writtenByServer !== null; // was there when the page opened: nothing new

  function say(text) {
    announcer.append(Object.assign(document.createElement("p"), { textContent: text }));
  }

  function show({ form: next, type }) {
    const before = form;
    const hadFocus = card.isBusy() || card.node.contains(document.activeElement);
    form = next?.complete ? next : null;
    const isSame = form && form.id === before?.id && form.version === before.version;
    if (isSame && type === "session.state") return card.rest(); // what was pressed may be lost
    card.render(form);
    if (isSame) return undefined;
    if (form && form.id !== before?.id) appear();
    else if (form) say(WORDS.updated);
    else if (hadFocus) field.focus();
    isFirst = false;
    return undefined;
  }

  /** The keyboard goes there, unless somebody is writing. */
  function appear() {
    if (isFirst) return;
    say(WORDS.shown);
    const isWriting = document.activeElement === field && field.value !== "";
    if (!isWriting) card.focus();
  }

  return (event) => {
    if (event.type === "form.refused") card.refuse(event);
    else if (GONE.has(event.type)) show(event);
  };
}

function addStyle() {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("./recap.css", import.meta.url);
  document.head.append(style);
}
