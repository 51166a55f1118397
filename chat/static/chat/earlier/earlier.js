/**
 * The button above the transcript that shows older messages. It comes when there are some: until
 * then, and without a connection, its form loads the page with those before the first one shown.
 */
import { setShown } from "../js/dom.js";
import { toldOfOlder } from "./state.js";

/**
 * @param {HTMLElement} root holds the form [data-earlier]
 * @param {{
 *   list: HTMLElement, box: {scrollBy: (options: object) => void},
 *   send: (frame: object) => boolean, now: () => import("../js/types.d.ts").State,
 *   skip: (items: object[]) => void, say: (text: string) => void,
 * }} parts `box` scrolls; `skip` has items not read out; `say` reads a sentence out
 */
export function open(root, { list, box, send, now, skip, say }) {
  const form = root.querySelector("[data-earlier]");
  const lineOf = (id) => list.querySelector(`[data-message="${CSS.escape(id)}"]`);
  let later = null;
  let firstId = list.querySelector("[data-message]")?.dataset.message;

  function ask() {
    const [first] = now().messages;
    return first !== undefined && send({ type: "messages.load", before: first.id });
  }

  form.addEventListener("submit", (event) => ask() && event.preventDefault());
  if (new URLSearchParams(location.search).has("avant")) { // the form went its own way before
    history.replaceState(null, "", location.pathname);
    later = ask;
  }

  function show({ messages, hasEarlier }) {
    const isLeft = !hasEarlier && form.contains(document.activeElement);
    setShown(form, hasEarlier);
    const first = messages[0]?.id;
    if (first === firstId) return;
    firstId = first;
    form.elements.avant.value = first ?? "";
    root.querySelector("[data-later]")?.remove();
    if (isLeft && first) focusOn(lineOf(first));
  }

  /** Count them, without a word of them. */
  function tell({ messages }, items, added) {
    const older = new Set(messages.slice(0, added).map(({ id }) => id));
    skip(items.filter(({ key }) => older.has(key)));
    say(`${added} ${form.querySelector("[data-earlier-said]").textContent}`);
  }

  return {
    open: true,
    told: (state, event) => toldOfOlder(state, { at: Date.now(), ...event }),
    /** Call `draw`, which shows the items; what stood first before stays where it is on screen. */
    render(state, items, draw) {
      const added = state.messages.findIndex(({ id }) => id === firstId);
      const line = added > 0 && lineOf(firstId);
      const top = line && line.getBoundingClientRect().top;
      draw();
      show(state);
      if (later && state.hasEarlier && later()) later = null;
      if (!line) return;
      box.scrollBy({ top: line.getBoundingClientRect().top - top, behavior: "instant" });
      tell(state, items, added);
    },
  };
}

/** The button that had the focus is gone: a keyboard goes on at the first line. */
function focusOn(line) {
  line.tabIndex = -1;
  line.focus({ preventScroll: true });
}
