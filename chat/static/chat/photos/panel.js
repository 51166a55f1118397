/** The photos as the page shows them, above the field: thumbnails, progress, what went wrong. */
import { WORDS, nameOf, percent } from "./words.js";

function element(tag, className, more = {}) {
  return Object.assign(document.createElement(tag), { className, ...more });
}

/**
 * @param {object} on
 * @param {(key: number) => void} on.remove
 * @param {(key: number) => void} on.retry
 * @param {() => void} on.empty where the keyboard goes when nothing is left
 */
export function createPanel(on) {
  const node = element("section", "photos", { hidden: true, ariaLabel: WORDS.list });
  const list = element("ul", "photos__list");
  const said = element("p", "visually-hidden", { role: "status" });
  const privacy = element("p", "photos__privacy", { textContent: WORDS.privacy });
  node.append(list, privacy, element("p", "photos__hint", { textContent: WORDS.hint }), said);
  const rows = new Map();

  function makeRow(key) {
    const row = {
      node: element("li", "photos__item"),
      link: element("a", "photos__link", { target: "_blank", rel: "noopener" }),
      picture: element("img", "photos__picture"),
      words: element("p", "photos__words"),
      bar: element("progress", "photos__bar", { max: 1 }),
      retry: element("button", "quiet", { type: "button", textContent: WORDS.retry }),
      remove: element("button", "quiet", { type: "button" }),
    };
    row.link.append(row.picture);
    row.node.append(row.link, row.words, row.bar, row.retry, row.remove);
    row.retry.addEventListener("click", () => on.retry(key));
    row.remove.addEventListener("click", () => on.remove(key));
    return row;
  }

  function fill(row, entry, number) {
    const name = entry.name || nameOf(number);
    const { state, photo } = entry;
    row.node.dataset.photo = state;
    row.link.hidden = state !== "stored";
    if (photo && !row.picture.src) {
      row.link.href = photo.url;
      row.picture.src = photo.thumbnail_url;
    }
    row.picture.alt = nameOf(number);
    row.words.textContent = wordsOf(entry, name);
    row.words.hidden = row.words.textContent === "";
    row.bar.hidden = state !== "sending";
    row.bar.value = entry.share;
    row.bar.ariaLabel = name;
    row.retry.hidden = state !== "failed" || !entry.canRetry;
    row.retry.ariaLabel = `${WORDS.retry} : ${name}`;
    const verb = state === "stored" || state === "failed" ? WORDS.remove : WORDS.cancel;
    row.remove.textContent = verb;
    row.remove.ariaLabel = `${verb} : ${state === "stored" ? nameOf(number) : name}`;
    row.remove.hidden = photo?.attached ?? false;
  }

  return {
    node,
    /** @param {import("./tray.js").Entry[]} entries */
    render(entries, news) {
      const kept = new Set(entries.map(({ key }) => key));
      const focused = [...rows].findIndex(([, row]) => row.node.contains(document.activeElement));
      for (const [key, row] of rows) {
        if (!kept.has(key)) {
          row.node.remove();
          rows.delete(key);
        }
      }
      entries.forEach((entry, index) => {
        if (!rows.has(entry.key)) rows.set(entry.key, makeRow(entry.key));
        const row = rows.get(entry.key);
        fill(row, entry, index + 1);
        if (list.children[index] !== row.node) list.insertBefore(row.node, list.children[index]);
      });
      node.hidden = entries.length === 0;
      if (news) said.textContent = news;
      if (focused >= 0 && !list.contains(document.activeElement)) {
        const next = list.children[Math.min(focused, list.children.length - 1)];
        const button = next?.querySelector("button:not([hidden])");
        if (button) button.focus();
        else on.empty();
      }
    },
  };
}

function wordsOf({ state, share, error, photo }, name) {
  if (error) return state === "stored" ? error : `${name} : ${error}`;
  if (state === "waiting") return WORDS.waiting;
  if (state === "sending") return share < 1 ? percent(share) : WORDS.checking;
  return photo?.attached ? WORDS.attached : "";
}
