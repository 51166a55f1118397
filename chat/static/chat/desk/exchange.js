/**
 * Exchange in a page only what changed: parts by `data-part`, rows of a table by `data-row`.
 * Focus, selection and scroll stay where they are.
 */

/** @param {Element} root as the server wrote it before, @param {string} html as it writes it now */
export function exchange(root, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const focused = document.activeElement;
  const address = root.contains(focused) ? focused.getAttribute("href") : null;
  if (namesOf(root) !== namesOf(fresh)) root.replaceChildren(...fresh.childNodes);
  else for (const part of fresh.querySelectorAll("[data-part]")) exchangePart(root, part);
  if (address !== null) refocus(root, focused, address);
}

function namesOf(element) {
  return Array.from(element.querySelectorAll("[data-part]"), ({ dataset }) => dataset.part).join();
}

function exchangePart(root, part) {
  const shown = root.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
  if (shown.isEqualNode(part)) return;
  const [before, after] = [shown, part].map((element) => element.querySelector("[data-rows]"));
  if (before && after) exchangeRows(before, after);
  else shown.replaceWith(part);
}

function exchangeRows(body, fresh) {
  const shown = new Map(Array.from(body.rows, (row) => [row.dataset.row, row]));
  let place = body.firstElementChild;
  for (const row of [...fresh.rows]) {
    const known = shown.get(row.dataset.row);
    shown.delete(row.dataset.row);
    if (known) exchangeCells(known, row);
    const element = known ?? row;
    if (element === place) place = place.nextElementSibling;
    else body.insertBefore(element, place);
  }
  shown.forEach((row) => row.remove());
}

function exchangeCells(row, fresh) {
  [...fresh.cells].forEach((cell, at) => {
    if (!row.cells[at].isEqualNode(cell)) row.cells[at].replaceWith(cell);
  });
}

function refocus(root, focused, address) {
  if (document.activeElement === focused) return;
  const again = focused.isConnected ? focused : root.querySelector(`[href="${CSS.escape(address)}"]`);
  again?.focus({ preventScroll: true });
}
