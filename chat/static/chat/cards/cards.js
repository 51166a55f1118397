/**
 * What an answer rests on: chips that open a rule or an order, cards of products, compared side by
 * side. Loaded when the first answer with sources is shown; the server writes the same cards into
 * the page (templates/chat/_sources.html).
 */
import { compareWith } from "./compare.js";
import { make } from "./make.js";

const FACTS = ["price", "size", "stock"];
const shown = new WeakMap();
let styled = null;

/**
 * Show the sources under a message, once for each list of them.
 *
 * @param {HTMLElement} message the <li data-message>
 * @param {object[] | HTMLElement} sources SOURCEs of docs/protocol.md, or what the server wrote
 */
export async function showSources(message, sources) {
  await styles();
  if (sources instanceof Element) {
    if (!message.querySelector("[data-sources]")) place(message, sources);
    return;
  }
  const known = JSON.stringify(sources);
  if (shown.get(message) === known) return;
  shown.set(message, known);
  message.querySelectorAll("[data-sources], [data-compare]").forEach((old) => old.remove());
  if (sources.length === 0) return;
  const list = make("ul", "sources", sources.map(itemOf));
  list.dataset.sources = "";
  list.setAttribute("aria-label", "Sources de cette réponse");
  place(message, list);
  const products = sources.filter(({ kind }) => kind === "product");
  if (products.length > 1) list.after(compareWith(list, products));
}

function place(message, list) {
  message.querySelector("[data-text]").after(list);
}

function itemOf(source) {
  const isProduct = source.kind === "product";
  const link = make("a", isProduct ? "card__link" : "chip__link", [
    ...(isProduct && isOwn(source.image) ? [imageOf(source.image)] : []),
    make("span", "card__name", [source.label]),
    ...FACTS.filter((name) => source[name]).map((name) => (
      make(name === "price" ? "strong" : "span", name === "price" ? "card__price" : "card__fact", [source[name]])
    )),
  ]);
  if (isOwn(source.url)) link.href = source.url;
  const item = make("li", isProduct ? "card" : "chip", [link]);
  item.dataset.ref = source.ref;
  return item;
}

function imageOf(address) {
  const image = make("img", "card__image", []);
  Object.assign(image, { alt: "", width: 200, height: 150, loading: "lazy", src: address });
  return image;
}

/** A path of this site, never "//elsewhere". */
function isOwn(address) {
  return /^\/(?![/\\])/.test(address ?? "");
}

/** Load the sheet once; a page that already had cards brought it. Without it cards are links. */
function styles() {
  styled ??= new Promise((resolve) => {
    if (document.querySelector("link[data-cards]")) return resolve();
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", onload: resolve, onerror: resolve });
    link.dataset.cards = "";
    link.href = new URL("cards.css", import.meta.url).href;
    document.head.append(link);
    return undefined;
  });
  return styled;
}
