/**
 * The conversation as the server wrote it into the page.
 *
 * The socket tells it again, in full; until then the page knows what it shows, and can tell a
 * conversation that has expired from one that never began.
 *
 * @param {HTMLElement} list the <ol data-transcript>
 * @returns {object[]} MESSAGEs of docs/protocol.md
 */
export function messagesIn(list) {
  return Array.from(list.querySelectorAll("[data-message]"), (line) => {
    const text = line.querySelector("[data-text]");
    return {
      id: line.dataset.message,
      author: line.dataset.author,
      name: line.querySelector("[data-name]")?.textContent ?? "",
      text: text.innerText,
      html: text.innerHTML,
      sent_at: line.querySelector("[data-time]").dateTime,
      interrupted: line.hasAttribute("data-interrupted"),
      reply_to: line.dataset.replyTo ?? "",
      sources: line.querySelector("[data-sources]"),
    };
  });
}

/** @returns {{speaker: string, name: string, asked: boolean}} who answers, or is waited for */
export function standingIn(root) {
  const speaker = root.querySelector("[data-speaker]");
  return {
    speaker: speaker.hidden ? "assistant" : "adviser",
    name: speaker.querySelector("[data-name]").textContent,
    asked: !root.querySelector("[data-asked]").hidden,
  };
}

/** @returns {{code: string, message: string} | null} the error that the server wrote, if any */
export function noticeIn(element) {
  return element.hidden ? null : { code: "", message: element.textContent.trim() };
}
