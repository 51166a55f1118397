/** A list or a summary that stays fresh without a reload. */
import { ask, whileSeen } from "./asking.js";
import { exchange } from "./exchange.js";
import { createRefresh } from "./refresh.js";
import { showLive } from "./status.js";

const root = document.querySelector("[data-live]");

if (root) {
  const refresh = createRefresh({
    load: async () => (await ask(root.dataset.live, "text/html")).text(),
    onLoaded: (html) => exchange(root, html),
    onStatus: (status) => showLive(document, status),
    everyMs: Number(root.dataset.everyMs),
  });
  showLive(document, "live");
  whileSeen(refresh, { soon: true });
}
