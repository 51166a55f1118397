/**
 * Markdown of an unfinished answer as elements, made with `createElement` and text alone.
 *
 * Only the blocks that changed are made anew: a selection above the last line survives.
 */
import { parseMarkdown } from "./markdown.js";
import { parseInline } from "./markdown_inline.js";

const SAFE_LINK = /^\/(?![/\\])/;
const TAGS = { strong: "strong", em: "em", s: "s", code: "code" };
const sources = new WeakMap();

/** Show the text in `container`, whatever of it was shown before. */
export function showMarkdown(container, text) {
  const blocks = parseMarkdown(text);
  const shown = sources.get(container) ?? [];
  blocks.forEach(({ source }, at) => {
    if (shown[at] === source && container.children[at]) return;
    const element = elementOf(blocks[at]);
    if (container.children[at]) container.children[at].replaceWith(element);
    else container.append(element);
  });
  while (container.children.length > blocks.length) container.lastElementChild.remove();
  sources.set(container, blocks.map(({ source }) => source));
}

/** Show what a person typed: paragraphs and line breaks, nothing else. */
export function showPlain(container, text) {
  const paragraphs = text.trim().split(/\n\s*\n/).map((paragraph) => {
    const lines = paragraph.split("\n").flatMap((line) => [document.createElement("br"), line]);
    return make("p", lines.slice(1));
  });
  replace(container, paragraphs);
}

/** Show HTML that the server rendered and sanitised (chat/conversations/markup.py). Never anything else. */
export function showServerHtml(container, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const next = container.cloneNode();
  next.append(template.content);
  if (!next.isEqualNode(container)) replace(container, next.childNodes);
}

function replace(container, children) {
  sources.delete(container);
  container.replaceChildren(...children);
}

function make(tag, children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

function elementOf(block) {
  switch (block.type) {
    case "heading": return make("h3", inline(block.text));
    case "rule": return make("hr", []);
    case "code": return make("pre", [make("code", [block.text])]);
    case "quote": return make("blockquote", block.blocks.map(elementOf));
    case "list": return listOf(block);
    case "table": return tableOf(block.rows);
    default: return make("p", inline(block.text));
  }
}

function listOf({ items, start }) {
  const list = make(start === undefined ? "ul" : "ol", items.map(itemOf));
  if (start > 1) list.start = start;
  return list;
}

function itemOf([first, ...rest]) {
  if (first?.type !== "paragraph") return make("li", [first, ...rest].filter(Boolean).map(elementOf));
  return make("li", [...inline(first.text), ...rest.map(elementOf)]);
}

function tableOf([head, ...rows]) {
  return make("table", [
    make("thead", [make("tr", head.map((cell) => make("th", inline(cell))))]),
    make("tbody", rows.map((row) => make("tr", row.map((cell) => make("td", inline(cell)))))),
  ]);
}

function inline(text) {
  return parseInline(text).map(nodeOf);
}

function nodeOf(node) {
  if (typeof node === "string") return node;
  if (node.type === "break") return document.createElement("br");
  const children = node.children.map(nodeOf);
  if (node.type !== "link") return make(TAGS[node.type], children);
  return SAFE_LINK.test(node.href) ? linkOf(node.href, children) : make("span", children);
}

function linkOf(href, children) {
  const link = make("a", children);
  link.href = href;
  link.rel = "noopener noreferrer nofollow";
  return link;
}
