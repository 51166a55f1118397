/** The chat page: what the customer does, wired to the conversation. */
import { clearWhenLeaving, confirmErasure, copyMessage, onMessageAction } from "./actions.js";
import { createComposer } from "./composer.js";
import { createConversation } from "./conversation.js";
import { openStorage } from "./outbox.js";
import { createScreen } from "./screen.js";
import { watchKeyboard } from "./scroll.js";

const root = document.querySelector("[data-chat]");
const form = root.querySelector("[data-form]");
const storage = openStorage();
const composer = createComposer(form, {
  maxChars: Number(root.dataset.maxChars),
  isTouch: matchMedia("(hover: none) and (pointer: coarse)").matches,
  storage,
});
const conversation = createConversation(root, {
  storage,
  composer,
  makeScreen: (now) => createScreen(root, now),
});

/** The button that was used may be gone now: whoever uses the keyboard goes on in the field. */
function thenWrite(act) {
  return (given) => {
    act(given);
    composer.focus();
  };
}

function onSubmit(target, act) {
  target.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event);
  });
}

form.noValidate = true; // an empty field is simply not sent
onSubmit(form, () => {
  if (conversation.isOver()) root.querySelector("[data-new]").focus();
  else conversation.send(composer.take());
});
onSubmit(root.querySelector("[data-suggestions]"), thenWrite(({ submitter }) => {
  conversation.send(submitter.value);
}));
onSubmit(root.querySelector("[data-stop]"), thenWrite(conversation.stop));
root.querySelector("[data-ask]").addEventListener("submit", (event) => {
  // Without a connection the form does it.
  if (conversation.askAdviser()) thenWrite(() => event.preventDefault())();
});
onMessageAction(conversation.list, {
  retry: thenWrite(conversation.retry),
  again: thenWrite(conversation.askAgain),
  edit: thenWrite(conversation.edit),
  copy: (id, button) => copyMessage(conversation.textOf(id), button, conversation.say),
});
confirmErasure(document.querySelector("[data-erase]"), document.querySelector("[data-erase-dialog]"));
clearWhenLeaving(document, storage);
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
watchKeyboard();
const photos = (files) => import("../photos/photos.js").then(({ open }) => open(root, files));
root.querySelector("[data-photos]").onclick = () => photos() && false;
document.onpaste = ({ clipboardData: { files } }) => files[0] && photos([...files]);
document.ondragover = () => photos([]);
if (openStorage(() => localStorage).read("photos")) photos([]);
setInterval(() => conversation.tick(Date.now()), 1000);
conversation.start();
