/** All that the page shows, drawn from the state at most once per frame. */
import { createAnnouncer } from "./announcer.js";
import { rememberSaid, restItems } from "./items.js";
import { createMessageView, messagesIn } from "./message_view.js";
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
  const saidItems = rememberSaid();
  let earlier = { told: (_, event) => event, render: (_, items, draw) => draw() };
  const title = document.title;
  let isScheduled = false;
  let known = null;
  let told = null;

  /** Not `innerText`, which has no words of a line that was not painted yet. */
  function labelOf({ key }) {
    const label = list.querySelector(`[data-message="${CSS.escape(key)}"] [data-label]`).cloneNode(true);
    label.querySelectorAll("[hidden]").forEach((part) => part.remove());
    return label.textContent.trim();
  }

  function draw() {
    isScheduled = false;
    const { state, status } = now();
    const at = Date.now();
    const said = saidItems(state, at);
    const rest = restItems(state, at);
    earlier.render(state, said, () => transcript.render(rest, at, said));
    statusView.render(state, status, said.length + rest.length === 0, at);
    tell(said === told ? rest : [...said, ...rest]);
    told = said;
  }

  function skip(items) {
    announcer.skip(items);
    items.forEach(({ key }) => known?.add(key));
  }

  function tell(items) {
    const heard = items.filter(({ kind, author }) => kind === "message" && author !== "customer");
    if (known === null) announcer.skip(heard);
    else if (heard.some(({ key }) => !known.has(key))) {
      follower.tell();
      if (document.hidden) document.title = `● ${title}`;
    }
    known ??= new Set();
    heard.forEach(({ key }) => known.add(key));
    announcer.follow(heard);
  }

  transcript.adopt();
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
    told: (state, event) => earlier.told(state, event),
    async openEarlier(parts) {
      const { open } = await import("../earlier/earlier.js");
      if (!earlier.open) earlier = open(root, { ...parts, list, box: window, skip, say: announcer.say });
      draw();
    },
    /** Draw soon. A page that nobody sees gets no frames, but its title and live region matter. */
    schedule() {
      if (isScheduled) return;
      isScheduled = true;
      if (document.hidden) setTimeout(draw, 250);
      else requestAnimationFrame(draw);
    },
  };
}
