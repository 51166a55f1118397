/**
 * The height of the keyboard on screen, as `--keyboard` for the style sheet.
 *
 * Chrome on Android makes the page smaller by itself (`interactive-widget=resizes-content`);
 * Safari on iOS lays the keyboard over it.
 */

/** @returns {number} px of the page hidden at its end; 0 while zoomed in, when it says nothing */
export function hiddenHeight(pageHeight, { height, offsetTop, scale }) {
  return scale > 1.01 ? 0 : Math.max(0, Math.round(pageHeight - height - offsetTop));
}

export function watchKeyboard(viewport = globalThis.visualViewport) {
  if (!viewport) return;
  const tell = () => document.documentElement.style.setProperty(
    "--keyboard", `${hiddenHeight(document.documentElement.clientHeight, viewport)}px`,
  );
  viewport.addEventListener("resize", tell);
  viewport.addEventListener("scroll", tell);
}
