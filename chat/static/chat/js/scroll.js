/** Scroll that follows the conversation, for a reader who is at its end and nobody else. */

/** As near to the end as this counts as being there. */
const NEAR_PX = 80;

/**
 * Whether to follow from now on: at the end yes, after scrolling up no, else as before. In px:
 * `top` scrolled so far, `end` of the conversation, height of the window (`viewport`).
 */
export function isFollowing(before, now) {
  if (now.end - now.viewport - now.top <= NEAR_PX) return true;
  return before.following && now.top >= before.top;
}

/**
 * `chat` is followed to its end, which the growth of those `watched` moves; the `pill` says that
 * there is something new further down.
 */
export function createFollower({ chat, watched, pill, following }) {
  let seen = { following, top: 0 };

  function look() {
    const { scrollY: top, innerHeight: viewport } = window;
    seen = { following: isFollowing(seen, { top, end: endOf(chat), viewport }), top };
    if (seen.following) pill.hidden = true;
  }

  function toEnd() {
    seen = { ...seen, following: true };
    pill.hidden = true;
    scrollTo({ top: endOf(chat) - innerHeight, behavior: "instant" });
  }

  const growth = new ResizeObserver(() => {
    if (seen.following) toEnd();
  });
  watched.forEach((element) => growth.observe(element));
  addEventListener("scroll", look, { passive: true });
  addEventListener("resize", () => seen.following && toEnd());
  pill.addEventListener("click", toEnd);

  return {
    toEnd,
    /** Something new was said: whoever reads further up is told. */
    tell() {
      if (!seen.following) pill.hidden = false;
    },
  };
}

function endOf(element) {
  return Math.round(element.getBoundingClientRect().bottom + scrollY);
}

/** @returns {number} px of the page hidden at its end; 0 while zoomed in, when it says nothing */
export function hiddenHeight(pageHeight, { height, offsetTop, scale }) {
  return scale > 1.01 ? 0 : Math.max(0, Math.round(pageHeight - height - offsetTop));
}

/**
 * Tell the style sheet the height of the keyboard on screen, as `--keyboard`.
 *
 * Chrome on Android makes the page smaller by itself (`interactive-widget=resizes-content`);
 * Safari on iOS lays the keyboard over it.
 */
export function watchKeyboard(viewport = globalThis.visualViewport) {
  if (!viewport) return;
  const tell = () => document.documentElement.style.setProperty(
    "--keyboard", `${hiddenHeight(document.documentElement.clientHeight, viewport)}px`,
  );
  viewport.addEventListener("resize", tell);
  viewport.addEventListener("scroll", tell);
}
