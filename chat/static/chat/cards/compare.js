/** Two or three products of one answer in a table, side by side. */
import { make } from "./make.js";

const MOST = 3;
const ROWS = [["Prix", "price"], ["Dimensions", "size"], ["Stock", "stock"]];

/**
 * Put a box to tick on each card and return the button that compares those ticked.
 *
 * @param {HTMLElement} list the cards
 * @param {object[]} products their SOURCEs, in the same order among products
 */
export function compareWith(list, products) {
  const button = make("button", "quiet compare", ["Comparer"]);
  button.type = "button";
  button.dataset.compare = "";
  const boxes = products.map((product) => boxOf(list, product));

  function chosen() {
    return products.filter((_product, at) => boxes[at].checked);
  }

  function renew() {
    const count = chosen().length;
    button.disabled = count < 2;
    button.textContent = count < 2 ? "Cochez 2 ou 3 meubles à comparer" : `Comparer les ${count} meubles`;
    for (const box of boxes) box.disabled = count >= MOST && !box.checked;
  }

  list.addEventListener("change", renew);
  button.addEventListener("click", () => open(chosen(), button));
  renew();
  return button;
}

function boxOf(list, product) {
  const box = make("input", "card__box", []);
  box.type = "checkbox";
  const label = make("label", "card__choice", [box, "Comparer ", hidden(product.label)]);
  list.querySelector(`[data-ref="${CSS.escape(product.ref)}"]`).append(label);
  return box;
}

function hidden(text) {
  return make("span", "visually-hidden", [text]);
}

function open(products, button) {
  const dialog = make("dialog", "comparison", []);
  const title = make("h2", "comparison__title", ["Comparaison"]);
  title.id = "comparison-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const close = make("button", "button", ["Fermer"]);
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  const scroll = make("div", "comparison__scroll", [tableOf(products)]);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-labelledby", title.id);
  dialog.append(title, scroll, close);
  dialog.addEventListener("close", () => {
    dialog.remove();
    button.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

function tableOf(products) {
  const head = make("tr", "", [make("td", "", []), ...products.map(columnOf)]);
  const rows = ROWS.filter(([, name]) => products.some((product) => product[name]));
  return make("table", "comparison__table", [
    make("thead", "", [head]),
    make("tbody", "", rows.map(([label, name]) => rowOf(label, products.map((p) => p[name] || "à confirmer")))),
  ]);
}

function columnOf(product) {
  const link = make("a", "", [product.label]);
  link.href = product.url;
  const cell = make("th", "", [link]);
  cell.scope = "col";
  return cell;
}

function rowOf(label, values) {
  const name = make("th", "", [label]);
  name.scope = "row";
  return make("tr", "", [name, ...values.map((value) => make("td", "", [value]))]);
}
