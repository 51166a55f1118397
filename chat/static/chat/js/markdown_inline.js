/**
 * Markdown within a paragraph, for text that is still being written.
 *
 * A marker without its end holds to the end of the paragraph, and one that may go on (a lone "*"
 * at the very end, half a link) is not shown yet: what the reader sees only ever grows.
 */
const MAX_DEPTH = 8;
const MAX_LINK_CHARS = 400;
const MARKS = { "**": "strong", __: "strong", "*": "em", _: "em", "~~": "s" };
const LINK = /^\[([^\]\n]*)\]\(\s*([^)\s]*)(?:\s+"[^"\n]*")?\s*\)/;
const HALF_LINK = /^\[[^\]\n]*(?:\](?:\([^)\n]*)?)?$/;
const SPECIAL = /[\\`*_~[\n]/g;

/** @returns {import("./types.d.ts").Inline[]} */
export function parseInline(text, depth = 0) {
  const nodes = [];
  let at = 0;
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const found = SPECIAL.exec(text);
    const start = found ? found.index : text.length;
    if (start > at) push(nodes, text.slice(at, start));
    if (!found) break;
    const [node, end] = readSpecial(text, start, depth);
    push(nodes, node);
    at = end;
  }
  return nodes;
}

function push(nodes, node) {
  if (node === "") return;
  if (typeof node === "string" && typeof nodes.at(-1) === "string") nodes.push(nodes.pop() + node);
  else nodes.push(node);
}

/** @returns {[Inline, number]} what stands at `start`, and where it ends */
function readSpecial(text, start, depth) {
  switch (text[start]) {
    case "\n": return [{ type: "break" }, start + 1];
    case "\\": return readEscape(text, start);
    case "`": return readCode(text, start);
    case "[": return readLink(text, start, depth);
    default: return readMark(text, start, depth);
  }
}

function readEscape(text, start) {
  const next = text[start + 1];
  if (next === undefined) return ["", start + 1];
  return /[!-/:-@[-`{-~]/.test(next) ? [next, start + 2] : ["\\", start + 1];
}

function readCode(text, start) {
  const ticks = /^`+/.exec(text.slice(start))[0];
  const from = start + ticks.length;
  let end = text.indexOf(ticks, from);
  while (end >= 0 && text[end + ticks.length] === "`") {
    end = text.indexOf(ticks, end + ticks.length + 1);
  }
  const inside = text.slice(from, end < 0 ? text.length : end);
  let shownEnd = inside.length;
  while (end < 0 && inside[shownEnd - 1] === "`") shownEnd -= 1;
  const shown = inside.slice(0, shownEnd);
  const node = shown === "" ? "" : { type: "code", children: [shown] };
  return [node, end < 0 ? text.length : end + ticks.length];
}

function readLink(text, start, depth) {
  const rest = text.slice(start, start + MAX_LINK_CHARS);
  const link = LINK.exec(rest);
  if (link) {
    const children = depth < MAX_DEPTH ? parseInline(link[1], depth + 1) : [link[1]];
    return [{ type: "link", href: link[2], children }, start + link[0].length];
  }
  const mayGoOn = start + rest.length === text.length && HALF_LINK.test(rest);
  return mayGoOn ? ["", text.length] : ["[", start + 1];
}

function readMark(text, start, depth) {
  const char = text[start];
  const mark = text[start + 1] === char ? char + char : char;
  const from = start + mark.length;
  if (from >= text.length) return ["", text.length];
  if (!MARKS[mark] || depth >= MAX_DEPTH || !opens(text, start, from, char)) return [mark, from];
  const end = closingOf(text, from, mark);
  const inside = text.slice(from, end < 0 ? text.length : end);
  const children = parseInline(inside, depth + 1);
  const node = children.length > 0 ? { type: MARKS[mark], children } : "";
  return [node, end < 0 ? text.length : end + mark.length];
}

/** A mark opens before a word; "_" not inside of one, as in "ref_produit". */
function opens(text, start, from, char) {
  const isInWord = char === "_" && /[\p{L}\p{N}]/u.test(text[start - 1] ?? "");
  return !isInWord && /\S/.test(text[from]);
}

function closingOf(text, from, mark) {
  for (let at = text.indexOf(mark[0], from); at >= 0; at = text.indexOf(mark[0], at)) {
    let end = at;
    while (text[end] === mark[0]) end += 1;
    const fits = mark.length === 2 ? end - at >= 2 : (end - at) % 2 === 1;
    if (fits && at > from && /\S/.test(text[at - 1])) return end - mark.length;
    at = end;
  }
  return -1;
}
