const NONE = [];

/**
 * The transcript on screen: one element per item, in order, touched only where it changed.
 *
 * @param {HTMLElement} list the <ol data-transcript>
 * @param {ReturnType<import("./message_view.js").createMessageView>} view
 */
export function createTranscriptView(list, view) {
  let said = NONE;
  let shownSaid = new Map();
  let shown = new Map();

  function lineFor(item, now) {
    const known = shown.get(item.key) ?? shownSaid.get(item.key);
    const isKept = known && known.author === item.author;
    const element = isKept ? known.element : view.make(item);
    const before = isKept ? known.item : null;
    if (!isSame(before, item)) view.fill(element, item, before, now);
    return { item, element, author: item.author };
  }

  const linesFor = (items, now) => new Map(items.map((item) => [item.key, lineFor(item, now)]));

  return {
    /** Keep the elements that the server wrote. */
    adopt() {
      shown = new Map(Array.from(list.children, (element) => {
        const { message, day, author } = element.dataset;
        return [message ?? `day-${day}`, { item: null, element, author }];
      }));
    },
    /** `before`: items that stand before; the same list as the last time costs nothing. */
    render(items, now, before = NONE) {
      const lines = linesFor(items, now);
      const linesBefore = before === said ? shownSaid : linesFor(before, now);
      const last = before === said && shownSaid.get(said.at(-1)?.key)?.element;
      let place = last ? last.nextElementSibling : list.firstElementChild;
      for (const { element } of [...(last ? [] : linesBefore.values()), ...lines.values()]) {
        if (element === place) place = place.nextElementSibling;
        else list.insertBefore(element, place);
      }
      while (place) {
        const following = place.nextElementSibling;
        place.remove();
        place = following;
      }
      [said, shownSaid, shown] = [before, linesBefore, lines];
    },
  };
}

/** Whether the same would be shown; a day's name depends on today, and HTML is shown, not its text. */
function isSame(before, item) {
  return before && item.kind !== "day" && Object.keys(item).every((name) => (
    before[name] === item[name] || (name === "text" && item.html && before.html === item.html)
  ));
}
