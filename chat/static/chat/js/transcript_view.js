/**
 * The transcript on screen: one element per item, in order, touched only where it changed.
 *
 * @param {HTMLElement} list the <ol data-transcript>
 * @param {ReturnType<import("./message_view.js").createMessageView>} view
 * @returns {{render: (items: import("./items.js").Item[], now: number) => void}}
 */
export function createTranscriptView(list, view) {
  let shown = new Map();

  function elementFor(item, now) {
    const known = shown.get(item.key);
    const element = known && known.item.author === item.author ? known.element : view.make(item);
    const before = element === known?.element ? known.item : null;
    if (!before || item.kind === "day" || !isSame(before, item)) {
      view.fill(element, item, before, now);
    }
    return element;
  }

  return {
    render(items, now) {
      const next = new Map(items.map((item) => [item.key, { item, element: elementFor(item, now) }]));
      let place = list.firstElementChild;
      for (const { element } of next.values()) {
        if (element === place) place = place.nextElementSibling;
        else list.insertBefore(element, place);
      }
      while (place) {
        const following = place.nextElementSibling;
        place.remove();
        place = following;
      }
      shown = next;
    },
  };
}

function isSame(before, item) {
  return Object.keys(item).every((name) => before[name] === item[name]);
}
