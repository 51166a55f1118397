/** Small words about elements. Elements are found by `data-*`; their sentences are in templates. */

/** Show those parts under `root` whose `data-when` names one of the words, hide the others. */
export function showWhen(root, words) {
  const wanted = new Set(words.split(" "));
  for (const part of root.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").some((word) => wanted.has(word));
  }
}

/** Set a text only when it differs: a live region or a selection is not disturbed for nothing. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Show an element or not, without touching it when it is so already. */
export function setShown(element, isShown) {
  if (element && element.hidden === isShown) element.hidden = !isShown;
}
