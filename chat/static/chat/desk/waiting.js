/** How many customers wait for an adviser, in the header of every page of the admin. */
import { setText, showWhen } from "../js/dom.js";
import { ask, whileSeen } from "./asking.js";
import { createRefresh } from "./refresh.js";

const EVERY_MS = 10_000;
const box = document.querySelector("[data-waiting]");

if (box) {
  const link = box.querySelector("[data-waiting-link]");
  const title = document.title;
  whileSeen(createRefresh({
    load: async () => (await ask(box.dataset.waiting, "application/json")).json(),
    onLoaded: ({ asked }) => {
      setText(link.querySelector("[data-waiting-count]"), String(asked));
      showWhen(link, asked > 1 ? "many" : "one");
      link.hidden = asked === 0;
      document.title = asked > 0 ? `(${asked}) ${title}` : title;
    },
    onStatus: (status) => { if (status !== "live") link.hidden = true; },
    everyMs: EVERY_MS,
  }));
}
