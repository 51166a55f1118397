/** The fields in which the customer corrects the recap, each with what is wrong with it. */
import { element } from "./element.js";
import { WORDS } from "./words.js";

const MAX_WORDS_CHARS = 4000;
const TYPES = { email: "email", delivered_on: "date" };

/**
 * @param {object} parts
 * @param {() => void} parts.cancel
 * @param {(path: string, ...inside: HTMLElement[]) => HTMLFormElement} parts.makeForm
 */
export function createFields({ cancel, makeForm }) {
  const list = element("div", "recap__fields");
  const save = element("button", "button", { textContent: WORDS.save });
  const back = element("button", "quiet", { type: "button", textContent: WORDS.cancel });
  const buttons = element("div", "recap__buttons");
  buttons.append(save, back);
  back.addEventListener("click", cancel);
  const node = makeForm("modifier", list, buttons);
  Object.assign(node, { hidden: true, noValidate: true });
  /** By name: the input, what it showed first, and where it is said what is wrong. */
  const inputs = new Map();

  return {
    node,
    buttons: [save, back],
    focus: () => inputs.values().next().value.input.focus(),
    values: () => Object.fromEntries([...inputs].map(([name, { input }]) => [name, input.value])),
    /** Begin with these rows. */
    fill(rows) {
      inputs.clear();
      list.replaceChildren(...rows.map(([name, label, value]) => {
        const made = makeField(name, label, value);
        inputs.set(name, made);
        return made.node;
      }));
    },
    /** Take what changed elsewhere, but for what was typed here. */
    merge(rows) {
      for (const [name, , value] of rows) {
        const field = inputs.get(name);
        if (field.input.value === field.first) field.input.value = value;
        field.first = value;
      }
    },
    /** Say what is wrong, and go to the first such field. */
    mark(wrong) {
      for (const [name, { input, why }] of inputs) {
        why.textContent = wrong[name] ?? "";
        why.hidden = !wrong[name];
        if (wrong[name]) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
      }
      [...inputs].find(([name]) => wrong[name])?.[1].input.focus();
    },
  };
}

function makeField(name, label, value) {
  const id = `recap-${name}`;
  const input = name === "words"
    ? element("textarea", "", { rows: 4, maxLength: MAX_WORDS_CHARS })
    : element("input", "", { type: TYPES[name] ?? "text" });
  Object.assign(input, { id, name, value });
  input.setAttribute("aria-describedby", `${id}-wrong`);
  const why = element("span", "recap__wrong", { id: `${id}-wrong`, hidden: true });
  const node = element("p", "recap__field");
  node.append(element("label", "", { htmlFor: id, textContent: label }), input, why);
  return { node, input, why, first: value };
}
