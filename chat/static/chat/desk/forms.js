/** The forms of the page, sent without leaving it. */

/** @typedef {{ok: boolean, message: string}} Outcome */

/** @returns {Promise<Outcome>} what the server says of the form */
export async function post(form) {
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      redirect: "manual",
    });
    return outcomeOf(response.status, await response.json().catch(() => ({})));
  } catch {
    return { ok: false, message: "Le serveur ne répond pas : rien n’est perdu, réessayez." };
  }
}

/** @returns {Outcome} */
export function outcomeOf(status, { message = "" }) {
  if (status >= 200 && status < 300) return { ok: true, message };
  return { ok: false, message: message || `L’action n’a pas eu lieu (erreur ${status}). Réessayez.` };
}

/**
 * @param {HTMLElement} root
 * @param {{onSent: (form: HTMLFormElement, message: string) => void,
 *   onRefused: (message: string) => void}} hears
 */
export function sendForms(root, { onSent, onRefused }) {
  root.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-act]")) return;
    event.preventDefault();
    if (form.dataset.sending) return;
    form.dataset.sending = "yes";
    const { ok, message } = await post(form);
    delete form.dataset.sending;
    if (ok) onSent(form, message);
    else onRefused(message);
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (!event.target.matches("textarea")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });
}
