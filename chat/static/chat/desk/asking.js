/** What the pages of the desk ask of the server besides their socket. */
import { Closed } from "./refresh.js";

const PATIENCE_MS = 10_000;

/** @returns {Promise<Response>} an answer that can be used; rejects with `Closed` after a logout */
export async function ask(url, accept) {
  const response = await fetch(url, {
    headers: { Accept: accept },
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (response.type === "opaqueredirect" || [401, 403].includes(response.status)) throw new Closed();
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response;
}

/** Have it refreshed while the page is seen, and not while it is hidden. */
export function whileSeen(refresh, { soon = false } = {}) {
  const look = () => (document.hidden ? refresh.sleep() : refresh.wake());
  addEventListener("visibilitychange", look);
  if (!document.hidden) refresh.wake({ soon });
}
