/** The recap as the page shows it: rows to be read, the same rows as fields, three buttons. */
import { createFields } from "./fields.js";
import { element } from "./element.js";
import { WORDS } from "./words.js";

/**
 * @param {string} token of the page's forms
 * @param {(verb: "confirm" | "edit" | "drop", more?: object) => boolean} press false: not sent
 */
export function createCard(token, press) {
  const title = element("h2", "recap__title", { id: "recap-title", textContent: WORDS.title, tabIndex: -1 });
  const node = element("section", "recap", { hidden: true });
  node.setAttribute("aria-labelledby", "recap-title");
  const alert = element("p", "recap__wrong", { role: "alert", hidden: true });
  const rows = element("dl", "recap__rows");
  const confirm = element("button", "button", { textContent: WORDS.confirm });
  const edit = element("button", "button button--plain", { type: "button", textContent: WORDS.edit });
  const drop = element("button", "quiet", { textContent: WORDS.drop });
  const buttons = element("div", "recap__buttons");
  const hidden = [];
  const fields = createFields({ cancel: () => leave(), makeForm });
  const confirmForm = makeForm("valider", confirm);
  const dropForm = makeForm("abandonner", drop);
  let form = null;
  let isEditing = false;

  buttons.append(confirmForm, edit, dropForm);
  node.append(
    title, element("p", "recap__note", { textContent: WORDS.note }), alert, rows, buttons, fields.node,
  );

  /** A form that the page posts itself where the socket does not take it. */
  function makeForm(path, ...inside) {
    const made = element("form", "", { method: "post", action: `/demande/${path}/` });
    const [id, version] = ["id", "version"].map((name) => element("input", "", { type: "hidden", name }));
    const csrf = element("input", "", { type: "hidden", name: "csrfmiddlewaretoken", value: token });
    hidden.push({ id, version });
    made.append(csrf, id, version, ...inside);
    return made;
  }

  function onSubmit(target, send) {
    target.addEventListener("submit", (event) => {
      if (isBusy() || send()) event.preventDefault();
      else return;
      if (!isBusy()) setBusy(true);
    });
  }

  const isBusy = () => confirm.disabled;

  function setBusy(busy) {
    for (const button of [confirm, edit, drop, ...fields.buttons]) button.disabled = busy;
    confirm.textContent = busy && !isEditing ? WORDS.confirming : WORDS.confirm;
  }

  function leave() {
    isEditing = false;
    draw();
    edit.focus();
  }

  function draw() {
    rows.hidden = buttons.hidden = isEditing;
    fields.node.hidden = !isEditing;
  }

  onSubmit(confirmForm, () => press("confirm"));
  onSubmit(dropForm, () => press("drop"));
  onSubmit(fields.node, () => press("edit", { fields: fields.values() }));
  edit.addEventListener("click", () => {
    isEditing = true;
    alert.hidden = true;
    fields.fill(form.rows);
    draw();
    fields.focus();
  });

  return {
    node,
    isBusy,
    /** Let the buttons be pressed again. */
    rest: () => setBusy(false),
    focus: () => title.focus(),
    /** Show this form; null hides all. What was typed meanwhile stays, unless it was sent. */
    render(next) {
      const wasSaved = isEditing && isBusy();
      form = next;
      node.hidden = form === null;
      setBusy(false);
      if (form === null || wasSaved) {
        isEditing = false;
        alert.hidden = true;
      }
      if (form === null) return draw();
      for (const { id, version } of hidden) [id.value, version.value] = [form.id, form.version];
      rows.replaceChildren(...form.rows.map(makeRow));
      if (isEditing) fields.merge(form.rows);
      draw();
      if (wasSaved) edit.focus();
    },
    /** Say why a button did nothing. */
    refuse({ code, message, fields: wrong }) {
      setBusy(false);
      if (code === "stale_form") isEditing = false;
      alert.textContent = isEditing ? message : [message, ...Object.values(wrong)].join(" ");
      alert.hidden = false;
      draw();
      if (isEditing) fields.mark(wrong);
      else confirm.focus();
    },
  };
}

function makeRow([, label, , shown]) {
  const row = element("div", "recap__row");
  const value = element("dd", "recap__value", { textContent: shown, dir: "auto" });
  row.append(element("dt", "recap__label", { textContent: label }), value);
  return row;
}
