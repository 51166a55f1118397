/** Puts a canned answer where the adviser writes, without leaving the page. */

const form = document.querySelector("[data-reply]");
const choice = form?.querySelector("[data-canned]");

if (choice) {
  const text = form.querySelector("[data-answer]");
  form.querySelector("[data-insert]").addEventListener("click", (event) => {
    event.preventDefault();
    const chosen = choice.selectedOptions[0]?.dataset.text;
    if (!chosen) return;
    text.value = [text.value.trim(), chosen].filter(Boolean).join("\n\n");
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
    choice.value = "";
  });
}
