/** @returns {HTMLElement} a new element; `more` are its properties */
export function element(tag, className, more = {}) {
  return Object.assign(document.createElement(tag), { className, ...more });
}
