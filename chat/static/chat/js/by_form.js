/**
 * Sending where sockets do not get through: by the page's own form, as without JavaScript.
 *
 * The page is left for the answer only when the server can be reached at all; else the message
 * stays where it is, in the outbox.
 *
 * @param {HTMLFormElement} form
 * @returns {(message: {id: string, text: string}) => Promise<void>}
 */
export function createFormPost(form) {
  let isLeaving = false;
  return async ({ id, text }) => {
    if (isLeaving) return;
    isLeaving = true;
    isLeaving = await isReachable();
    if (isLeaving) post(form, id, text);
  };
}

async function isReachable() {
  try {
    const { href } = document.querySelector("link[rel=icon]");
    await fetch(href, { method: "HEAD", cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

function post(form, id, text) {
  const hidden = document.createElement("input");
  Object.assign(hidden, { type: "hidden", name: "id", value: id });
  form.append(hidden);
  form.querySelector("[data-field]").value = text;
  form.submit();
}
