/** What the customer can do besides typing: buttons and forms, found by `data-*`. */
const COPIED_MS = 2_000;

/**
 * Call `does[action](id, button)` for the buttons of a message: retry, again, edit, copy.
 *
 * @param {HTMLElement} list the transcript
 */
export function onMessageAction(list, does) {
  list.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-action]");
    if (button) does[button.dataset.action](button.closest("[data-message]").dataset.message, button);
  });
}

/** Copy a message, and say so on the button for a moment. */
export async function copyMessage(text, button, say) {
  if (!(await copyText(text))) return;
  const done = button.querySelector("[data-done]");
  const todo = button.querySelector("[data-todo]");
  [done.hidden, todo.hidden] = [false, true];
  say(done.textContent);
  setTimeout(() => { [done.hidden, todo.hidden] = [true, false]; }, COPIED_MS);
}

/** Have the erasure confirmed in a dialog, whose own form then does it. */
export function confirmErasure(form, dialog) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
}

/** Forget what this tab kept when a form that says so (`data-clears`) is posted. */
export function clearWhenLeaving(page, storage) {
  page.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (target.matches("[data-clears]") && !defaultPrevented) storage.clear();
  });
}

/** Copy a text. Over plain http the browser has no clipboard API, only the old way. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

function copyOldWay(text) {
  const active = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  active?.focus();
  return isCopied;
}
