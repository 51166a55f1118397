import { parseInline } from "./markdown_inline.js";
import { parseMarkdown } from "./markdown.js";

/** @returns {string} the words of a Markdown text alone, as they are heard; one line per block */
export function plainText(text) {
  return parseMarkdown(text).map(plainBlock).join("\n");
}

function plainBlock(block) {
  if (block.blocks) return block.blocks.map(plainBlock).join("\n");
  if (block.items) return block.items.flat().map(plainBlock).join("\n");
  if (block.rows) return block.rows.flat().map(plainOf).join("\n");
  return block.type === "code" ? block.text : plainOf(block.text ?? "");
}

function plainOf(text) {
  return plainInline(parseInline(text));
}

function plainInline(nodes) {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    return node.type === "break" ? "\n" : plainInline(node.children);
  }).join("");
}
