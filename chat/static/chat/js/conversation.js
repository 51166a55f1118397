/** The conversation of this page: its state, between socket and storage, screen and field. */
import { connectTo, reloadOnce } from "./connection.js";
import { wantsSync } from "./dates.js";
import { questionOf } from "./items.js";
import { has, newId } from "./messages.js";
import { createFormPost, frameOf, framesOf, readOutbox, writeOutbox } from "./outbox.js";
import { noticeIn, standingIn } from "./status_view.js";
import { EMPTY, reduce } from "./transcript_state.js";

const BY_FORM = new Set(["barred", "refused"]);
const CALM = new Set(["connecting", "connected", "stopped"]);

/**
 * @param {HTMLElement} root the <main data-chat>
 * @param {{storage: object, composer: object, makeScreen: (now: () => object) => object}} parts
 */
export function createConversation(root, { storage, composer, makeScreen }) {
  const postByForm = createFormPost(root.querySelector("[data-form]"));
  const screen = makeScreen(() => ({ state, status }));
  const socket = connectTo(root.dataset.socket, { onEvent: hear, onStatus: become });
  let status = "connecting";
  let isTroubled = false;
  let askedAt = 0;
  let state = {
    ...EMPTY,
    messages: screen.messages,
    pending: readOutbox(storage).filter(({ id, text }) => (
      !has(screen.messages, id) && text !== composer.given // refused by the form, given back
    )),
    ...standingIn(root),
    notice: noticeIn(root.querySelector("[data-notice]")),
    ended: screen.messages.length > 0 ? root.dataset.endedReason : "",
  };

  function apply(event) {
    const before = state;
    state = reduce(before, { at: Date.now(), ...event });
    if (state === before) return;
    if (state.syncing && !before.syncing) socket.send({ type: "session.sync" });
    if (state.pending !== before.pending) writeOutbox(storage, state.pending);
    if (state.ended && !before.ended) end(before.pending);
    screen.schedule();
  }

  function hear(event) {
    apply(screen.told(state, event));
    if (event.type !== "session.state") return;
    if (event.has_earlier) screen.openEarlier({ send: socket.send, now: () => state });
    storage.write("reloaded", "");
    framesOf(state.pending).forEach(socket.send);
  }

  function become(next) {
    status = next;
    if (next !== "connected") apply({ type: "local.closed" });
    screen.draw();
    if (!CALM.has(next) || (isTroubled && next === "connected")) screen.saySentenceOf("connection");
    isTroubled = next !== "connected" && (isTroubled || !CALM.has(next));
    if (next === "expelled") reloadOnce(storage);
  }

  /** It is over: nothing is sent any more, and no word that was typed is lost. */
  function end(pending) {
    socket.stop();
    composer.giveBack(pending.map(({ text }) => text).join("\n\n"));
    if (state.ended === "erased") [storage.clear, screen.forget].forEach((forget) => forget());
    screen.draw();
    screen.saySentenceOf("ended");
  }

  function textOf(id) {
    return [...state.pending, ...state.messages].find((message) => message.id === id).text;
  }

  function send(text) {
    if (!text || state.ended) return;
    const message = { id: newId(), text, at: new Date().toISOString() };
    apply({ type: "local.sent", message });
    socket.send(frameOf(message));
    screen.draw();
    screen.toEnd();
  }

  return {
    send,
    textOf,
    list: screen.list,
    say: screen.say,
    isOver: () => state.ended !== "",
    retry(id) {
      const frame = frameOf({ id, text: textOf(id) });
      apply({ type: "local.retried", id });
      socket.send(frame);
    },
    askAgain: (answerId) => send(questionOf(state, answerId)?.text),
    edit(id) {
      composer.giveBack(textOf(id));
      apply({ type: "local.dropped", id });
    },
    stop() {
      if (socket.send({ type: "turn.stop" })) apply({ type: "local.stopping" });
    },
    askAdviser: () => socket.send({ type: "adviser.ask" }),
    start() {
      screen.draw();
      if (state.ended) socket.stop();
      else socket.start();
    },
    /** Once a second: what changes with the hour alone. */
    tick(now) {
      if (status === "connected" && wantsSync(state, now, askedAt)) {
        askedAt = now;
        apply({ type: "local.sync" });
      }
      const [unsent] = framesOf(state.pending);
      if (unsent && BY_FORM.has(status)) postByForm(unsent);
      screen.schedule();
    },
  };
}
