/** Photos on the chat page. Loaded when the customer first wants to add one, or has some. */
import { openStorage } from "../js/outbox.js";
import { createExchange } from "./exchange.js";
import { createPanel } from "./panel.js";
import { createTray } from "./tray.js";

const ACCEPTED = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif";
let opened;

/**
 * @param {HTMLElement} root the chat
 * @param {File[]} [files] to send; none given: the customer chooses
 */
export function open(root, files) {
  opened ??= start(root);
  if (!files) opened.input.click();
  else if (files.length > 0) opened.tray.add(files);
}

function start(root) {
  addStyle();
  const button = root.querySelector("[data-photos]");
  const form = root.querySelector("[data-form]");
  const exchange = createExchange(form.elements.csrfmiddlewaretoken.value);
  const memory = openStorage(() => globalThis.localStorage);
  const panel = createPanel({
    remove: (key) => tray.remove(key),
    retry: (key) => tray.retry(key),
    empty: () => button.focus(),
  });
  const tray = createTray({
    ...exchange,
    onChange(entries, said) {
      panel.render(entries, said);
      memory.write("photos", entries.some(({ state }) => state === "stored") ? "1" : "");
    },
  });
  form.before(panel.node);
  const input = createInput((chosen) => tray.add(chosen));
  panel.node.append(input);
  takeDropped(panel.node.parentElement, (dropped) => tray.add(dropped));
  document.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (target.matches("[data-clears]") && !defaultPrevented) memory.write("photos", "");
  });
  button.role = "button"; // it leads nowhere any more
  button.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    button.click();
  });
  exchange.list().then(tray.show, () => {}); // those that are there show up at the next visit
  return { tray, input };
}

function createInput(onChosen) {
  const input = Object.assign(document.createElement("input"), {
    type: "file", multiple: true, accept: ACCEPTED, hidden: true,
  });
  input.addEventListener("change", () => {
    onChosen([...input.files]);
    input.value = ""; // the same file may be chosen again
  });
  return input;
}

/** Files may be dropped anywhere on the page; text goes where it goes. */
function takeDropped(marked, onDropped) {
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    marked.dataset.dropping = "";
  });
  for (const end of ["dragleave", "drop"]) {
    document.addEventListener(end, () => delete marked.dataset.dropping);
  }
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    onDropped([...event.dataTransfer.files]);
  });
}

function addStyle() {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("./photos.css", import.meta.url);
  document.head.append(style);
}
