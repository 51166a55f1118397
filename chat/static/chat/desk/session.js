/** The page of one session: its socket, its state, its forms. */
import { connectTo } from "../js/connection.js";
import { newId } from "../js/messages.js";
import { keepDrafts } from "./drafts.js";
import { sendForms } from "./forms.js";
import { createScreen } from "./screen.js";
import { reduceDesk, UNKNOWN } from "./state.js";

const TICK_MS = 15_000;
const root = document.querySelector("[data-desk]");
const refusal = document.querySelector("[data-refusal]");
const messageId = root.querySelector("[data-message-id-field]");
const drafts = keepDrafts(root, root.dataset.ref);
const screen = createScreen(root, () => ({ state, status }), (frame) => socket.send(frame));
const socket = connectTo(root.dataset.socket, { onEvent: hear, onStatus: become });
let state = UNKNOWN;
let status = "connecting";
let tried = "";

function hear(event) {
  const before = state;
  state = reduceDesk(before, screen.told(before.talk, { at: Date.now(), ...event }));
  if (state.talk.syncing && !before.talk.syncing) socket.send({ type: "session.sync" });
  if (state.talk.ended === "erased" && before.talk.ended !== "erased") drafts.forget();
  if (state.talk.ended && state.talk.ended !== "ended") socket.stop();
  if (state !== before) screen.schedule();
}

function become(next) {
  status = next;
  screen.schedule();
}

function refuse(message) {
  refusal.textContent = message;
  refusal.hidden = message === "";
  if (message) refusal.scrollIntoView({ block: "nearest" });
}

/** The very same words again keep their id: they have one effect however often they are sent. */
root.addEventListener("submit", ({ target }) => {
  if (target.dataset.act !== "say") return;
  const { value } = target.elements.text;
  if (tried !== "" && tried !== value) messageId.value = newId();
  tried = value;
}, { capture: true });

sendForms(root, {
  onSent(form, message) {
    refuse("");
    form.closest("dialog")?.close();
    const field = form.querySelector("[data-draft]");
    if (field) drafts.sent(field, form.dataset.act === "say" ? tried : field.value);
    if (form.dataset.act === "say") {
      messageId.value = newId();
      tried = "";
      screen.toEnd();
    }
    if (message) screen.say(message);
    if (status === "barred") location.reload(); // no socket will bring what was sent
  },
  onRefused(message) {
    root.querySelector("dialog[open]")?.close();
    refuse(message);
    socket.send({ type: "session.sync" });
  },
});

root.querySelector("[data-ask=end]")?.addEventListener("click", (event) => {
  event.preventDefault();
  root.querySelector("[data-dialog=end]").showModal();
});
root.querySelector("[data-dialog-close]")?.addEventListener("click", ({ target }) => {
  target.closest("dialog").close();
});
setInterval(screen.schedule, TICK_MS);
socket.start();
