/** @returns an element of this class with these children, texts or elements */
export function make(tag, name, children) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...children);
  return element;
}
