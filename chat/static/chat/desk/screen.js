/** All that the page of one session shows, drawn from the state at most once per frame. */
import { open as openEarlier } from "../earlier/earlier.js";
import { createAnnouncer } from "../js/announcer.js";
import { createTranscriptView } from "../js/transcript_view.js";
import { createControls } from "./controls.js";
import { deskItems } from "./items.js";
import { showLive } from "./status.js";
import { createDeskView } from "./view.js";

/** As near to the end as this counts as being there. */
const NEAR_PX = 60;
const STATUS = {
  connecting: "connecting", connected: "connected", offline: "offline", barred: "offline",
  busy: "busy", expelled: "refused", refused: "refused", stopped: "over",
};

/**
 * @param {HTMLElement} root the <div data-desk>
 * @param {() => {state: object, status: string}} now what is to be shown
 * @param {(frame: object) => boolean} send by the socket
 */
export function createScreen(root, now, send) {
  const box = root.querySelector("[data-scroll]");
  const list = root.querySelector("[data-transcript]");
  const transcript = createTranscriptView(list, createDeskView(root, document.documentElement.lang));
  const controls = createControls(root);
  const announcer = createAnnouncer(root.querySelector("[data-announcer]"), labelOf);
  const earlier = openEarlier(root, {
    list, box, send, now: () => now().state.talk, skip: announcer.skip, say: announcer.say,
  });
  let isScheduled = false;
  let hasSaid = false;

  function labelOf({ key }) {
    return list.querySelector(`[data-message="${CSS.escape(key)}"] [data-label]`).innerText;
  }

  function toEnd() {
    box.scrollTop = box.scrollHeight;
  }

  function draw() {
    isScheduled = false;
    const { state, status } = now();
    const at = Date.now();
    showLive(root, STATUS[status]);
    if (state.isKnown) drawState(state, at);
  }

  function drawState(state, at) {
    const isAtEnd = box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR_PX;
    const items = deskItems(state, at);
    earlier.render(state.talk, items, () => transcript.render(items, at));
    controls.render(state, at);
    if (isAtEnd) toEnd();
    const said = items.filter(({ kind }) => kind === "message");
    if (!hasSaid) announcer.skip(said);
    hasSaid = true;
    announcer.follow(said);
    if (state.talk.ended === "erased") announcer.forget();
  }

  toEnd();
  return {
    say: announcer.say,
    toEnd,
    told: earlier.told,
    schedule() {
      if (isScheduled) return;
      isScheduled = true;
      if (document.hidden) setTimeout(draw, 250);
      else requestAnimationFrame(draw);
    },
  };
}
