/** The line that says how fresh the page is; its sentences stand in the templates. */
export function showLive(root, status) {
  for (const sentence of root.querySelectorAll("[data-live-when]")) {
    const isMeant = sentence.dataset.liveWhen === status;
    if (sentence.hidden === isMeant) sentence.hidden = !isMeant;
  }
  const line = root.querySelector("[data-live-status]");
  if (line) line.dataset.liveStatus = status;
}
