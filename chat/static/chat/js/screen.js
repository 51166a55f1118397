/** All that the page shows, drawn from the state at most once per frame. */
import { createAnnouncer } from "./announcer.js";
import { messagesIn } from "./hydrate.js";
import { itemsOf } from "./items.js";
import { createMessageView } from "./message_view.js";
import { createFollower } from "./scroll.js";
import { createStatusView } from "./status_view.js";
import { createTranscriptView } from "./transcript_view.js";

/**
 * @param {HTMLElement} root the <main data-chat>
 * @param {() => {state: object, status: string}} now what is to be shown
 */
export function createScreen(root, now) {
  const language = document.documentElement.lang;
  const list = root.querySelector("[data-transcript]");
  const messages = messagesIn(list);
  const transcript = createTranscriptView(list, createMessageView(root, language));
  const statusView = createStatusView(root, language);
  const announcer = createAnnouncer(root.querySelector("[data-announcer]"), labelOf);
  const follower = createFollower({
    chat: root,
    watched: [list, root.querySelector("[data-dock]")],
    pill: root.querySelector("[data-pill]"),
    following: messages.length > 0,
  });
  const title = document.title;
  let isScheduled = false;
  let known = null;

  function labelOf({ key }) {
    return list.querySelector(`[data-message="${CSS.escape(key)}"] [data-label]`).innerText;
  }

  function draw() {
    isScheduled = false;
    const { state, status } = now();
    const at = Date.now();
    const items = itemsOf(state, at);
    transcript.render(items, at);
    statusView.render(state, status, items.length === 0, at);
    tell(items);
  }

  function tell(items) {
    const said = items.filter(({ kind, author }) => kind === "message" && author !== "customer");
    if (known === null) announcer.skip(said);
    else if (said.some(({ key }) => !known.has(key))) {
      follower.tell();
      if (document.hidden) document.title = `● ${title}`;
    }
    known = new Set(said.map(({ key }) => key));
    announcer.follow(said);
  }

  addEventListener("visibilitychange", () => { document.title = title; });

  return {
    messages,
    list,
    draw,
    toEnd: follower.toEnd,
    say: announcer.say,
    forget: announcer.forget,
    /** Let a screen reader say the sentence that a part of the page shows now. */
    saySentenceOf: (name) => announcer.say(statusView.sentenceOf(name)),
    /** Draw soon. A page that nobody sees gets no frames, but its title and live region matter. */
    schedule() {
      if (isScheduled) return;
      isScheduled = true;
      if (document.hidden) setTimeout(draw, 250);
      else requestAnimationFrame(draw);
    },
  };
}
