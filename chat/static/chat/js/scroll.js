/** Scroll that follows the conversation, for a reader who is at its end and nobody else. */

/** As near to the end as this counts as being there. */
const NEAR_PX = 80;

/**
 * Whether to follow from now on: at the end yes, after scrolling up no, else as before.
 *
 * @param {{following: boolean, top: number}} before
 * @param {{top: number, height: number, viewport: number}} now of the scrolling element, in px
 * @returns {boolean}
 */
export function isFollowing(before, now) {
  if (now.height - now.viewport - now.top <= NEAR_PX) return true;
  return before.following && now.top >= before.top;
}

/**
 * @param {{scroller: Element, watched: Element[], pill: HTMLElement, following: boolean}} parts
 *   `watched`: whose growth moves the end; `pill`: says that there is something new further down
 */
export function createFollower({ scroller, watched, pill, following }) {
  let seen = { following, top: 0 };

  function look() {
    const { scrollTop: top, scrollHeight: height, clientHeight: viewport } = scroller;
    seen = { following: isFollowing(seen, { top, height, viewport }), top };
    if (seen.following) pill.hidden = true;
  }

  function toEnd() {
    seen = { ...seen, following: true };
    pill.hidden = true;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: "instant" });
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
