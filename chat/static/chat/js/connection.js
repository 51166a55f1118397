/** The socket of this page: where it goes, and what wakes it. */
import { createSocket } from "./socket.js";

/**
 * @param {string} path of the socket, on this page's own host
 * @param {{onEvent: (event: object) => void, onStatus: (status: string) => void}} hears
 */
export function connectTo(path, hears) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  let recap;
  const socket = createSocket({
    open: () => new WebSocket(url),
    ...hears,
    onEvent(event) {
      hears.onEvent(event);
      if (event.form || recap) (recap ??= import("../recap/recap.js")).then(({ hear }) => hear(socket.send, event));
    },
  });
  addEventListener("online", socket.wake);
  addEventListener("offline", socket.sleep);
  addEventListener("visibilitychange", () => document.hidden || socket.wake());
  return socket;
}

/** Load the page again, which gives it its cookie, but only once in a row. */
export function reloadOnce(storage) {
  if (storage.read("reloaded")) return;
  storage.write("reloaded", "1");
  location.reload();
}
