/**
 * Markdown blocks of an answer that is still being written.
 *
 * A small safe subset, for the seconds until the server's own rendering replaces it. Any prefix of
 * a text is fine, and what the reader sees only grows with it: tests/js/markdown.test.js.
 */
const MAX_DEPTH = 6;
const FENCE = /^\s*(`{3,}|~{3,})/;
const HEADING = /^ {0,3}#{1,6}\s+/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)([^]*)$/;
const QUOTE = /^ {0,3}>\s?/;
const ROW = /^\s*\|/;
const DELIMITER_ROW = /^[\s|:-]+$/;
/** Of the number of an item, as in `ITEM`. */
const MAX_DIGITS = 9;
const MARKER = /[\s#+*_=~`>|:-]/;

/** @returns {import("./types.d.ts").Block[]} */
export function parseMarkdown(text) {
  return parseBlocks(text.slice(0, decidedEnd(text)).split("\n"), 0);
}

/**
 * Where last lines begin that may yet become a marker: "-", "12.", "**", "``".
 *
 * Read backwards, once: a pattern that ends with "$" is tried from each line of a long text.
 */
function decidedEnd(text) {
  const number = beforeAll(text, /\s/, text.length);
  const behind = /[.)]/.test(text[number - 1] ?? "") ? number - 1 : number;
  const digits = beforeAll(text, /\d/, behind);
  if (behind - digits > MAX_DIGITS) return text.length;
  const [from, to] = digits < behind
    ? [beforeAll(text, /\s/, digits), digits]
    : [beforeAll(text, MARKER, text.length), text.length];
  if (from === 0) return 0;
  const line = text.indexOf("\n", from);
  return line < 0 || line >= to ? text.length : line + 1;
}

function beforeAll(text, kind, end) {
  let at = end;
  while (at > 0 && kind.test(text[at - 1])) at -= 1;
  return at;
}

function headingOf(line) {
  const text = line.replace(HEADING, "").trimEnd();
  const end = beforeAll(text, /#/, text.length);
  return end < text.length && /\s/.test(text[end - 1] ?? "") ? text.slice(0, end).trimEnd() : text;
}

function parseBlocks(lines, depth) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const end = endOfBlock(lines, at, depth);
    const source = lines.slice(at, end);
    blocks.push({ ...readBlock(source, depth), source: source.join("\n") });
    at = end;
  }
  return blocks;
}

function kindOf(line, depth) {
  if (FENCE.test(line)) return "code";
  if (HEADING.test(line)) return "heading";
  if (RULE.test(line)) return "rule";
  if (depth < MAX_DEPTH && ITEM.test(line)) return "list";
  if (depth < MAX_DEPTH && QUOTE.test(line)) return "quote";
  return ROW.test(line) ? "table" : "paragraph";
}

function endOfBlock(lines, start, depth) {
  const kind = kindOf(lines[start], depth);
  if (kind === "heading" || kind === "rule") return start + 1;
  if (kind === "code") return endOfCode(lines, start);
  let end = start + 1;
  while (end < lines.length && goesOn(kind, lines, end, depth)) end += 1;
  return end;
}

function endOfCode(lines, start) {
  const fence = FENCE.exec(lines[start])[1];
  const end = lines.findIndex((line, at) => at > start && line.trim() === fence);
  return end < 0 ? lines.length : end + 1;
}

function goesOn(kind, lines, at, depth) {
  const line = lines[at];
  if (kind === "list") {
    const next = line.trim() === "" ? lines[at + 1] ?? "" : line;
    return /^\s{2,}\S/.test(next) || (ITEM.test(next) && !RULE.test(next));
  }
  return line.trim() !== "" && kindOf(line, depth) === kind;
}

function readBlock(lines, depth) {
  const type = kindOf(lines[0], depth);
  switch (type) {
    case "code": return { type, text: codeOf(lines) };
    case "heading": return { type, text: headingOf(lines[0]) };
    case "rule": return { type };
    case "list": return listOf(lines, depth);
    case "quote":
      return { type, blocks: parseBlocks(lines.map((line) => line.replace(QUOTE, "")), depth + 1) };
    case "table":
      return { type, rows: lines.filter((line, at) => at !== 1 || !DELIMITER_ROW.test(line)).map(cellsOf) };
    default: return { type, text: lines.map((line) => line.trim()).join("\n") };
  }
}

function codeOf(lines) {
  const isClosed = lines.length > 1 && lines.at(-1).trim() === FENCE.exec(lines[0])[1];
  return lines.slice(1, isClosed ? -1 : undefined).join("\n");
}

function cellsOf(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

/** A list; what is indented under an item, another list perhaps, is parsed as its own blocks. */
function listOf(lines, depth) {
  const [, indent, marker] = ITEM.exec(lines[0]);
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length < indent.length + 2) items.push([item[4]]);
    else items.at(-1).push(line.replace(/^\s{1,4}/, ""));
  }
  const start = Number.parseInt(marker, 10);
  return {
    type: "list",
    start: Number.isNaN(start) ? undefined : start,
    items: items.map((item) => parseBlocks(item, depth + 1)),
  };
}
