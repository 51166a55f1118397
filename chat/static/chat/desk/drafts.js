/**
 * What an adviser typed and has not sent: kept in this tab over a cut, a reload, a logout.
 *
 * @param {HTMLElement} root
 * @param {string} ref of the conversation
 * @param {() => Storage} open a browser that forbids storage loses only this memory
 */
export function keepDrafts(root, ref, open = () => globalThis.sessionStorage) {
  const fields = [...root.querySelectorAll("[data-draft]")];
  const keyOf = (field) => `desk.${ref}.${field.dataset.draft}`;

  function tried(access) {
    try {
      return access(open());
    } catch {
      return null;
    }
  }

  function keep(field) {
    tried((store) => (
      field.value ? store.setItem(keyOf(field), field.value) : store.removeItem(keyOf(field))
    ));
  }

  for (const field of fields) {
    if (!field.value) field.value = tried((store) => store.getItem(keyOf(field))) ?? "";
    field.addEventListener("input", () => keep(field));
  }
  return {
    /** Take this text as sent; what was typed since stays. */
    sent(field, text) {
      if (field.value === text) field.value = "";
      keep(field);
    },
    forget() {
      for (const field of fields) {
        field.value = "";
        keep(field);
      }
    },
  };
}
