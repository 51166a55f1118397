import assert from "node:assert/strict";
import { test } from "node:test";

import { plainText } from "../../chat/static/chat/js/markdown_plain.js";

const CHARS = 20_000;
const ORDINARY = "Le **Lisière** (`SAL-CAP-001`), [voir la fiche](/produits/x/), coûte *1 299 €*.\n- a\n";
/** How much dearer than an ordinary answer a hostile one may be; a quadratic reader is 100 times. */
const AT_MOST_TIMES = 12;
const NOTHING_US = 8_000;
const BODIES = [
  ..."1.a-w @/*_[(`~|#>\\\n", "[[", "![", "[a", "](", "*a ", "_a ", "**a ", "~~a ", "`a", "``a`", "*a _b ", "\n ",
  "\n\n", "a\n", "- ", "- a\n", "1. ", "> ", "# ", "| a ", "|-", "```\n", "[a](", "[a](b ", "* * ", "a*", "  - a\n",
];
const HEADS = ["", "# ", "`a", "[", "- ", "> "];
const TAILS = ["", "x"];

function repeated(body, head = "", tail = "") {
  const room = CHARS - head.length - tail.length;
  return head + body.repeat(Math.ceil(room / body.length)).slice(0, room) + tail;
}

function costUs(text) {
  const began = process.cpuUsage();
  plainText(text);
  const used = process.cpuUsage(began);
  return used.user + used.system;
}

test("no answer costs the reader's browser much more than an ordinary one", () => {
  const ordinary = repeated(ORDINARY);
  const least = Math.max(NOTHING_US, Math.min(...[1, 2, 3].map(() => costUs(ordinary))));
  const slow = [];
  for (const head of HEADS) {
    for (const body of BODIES) {
      for (const tail of TAILS) {
        const text = repeated(body, head, tail);
        let cost = costUs(text);
        if (cost > AT_MOST_TIMES * least) cost = Math.min(cost, costUs(text));
        if (cost > AT_MOST_TIMES * least) {
          slow.push(`${JSON.stringify([head, body, tail])}: ${Math.round(cost / 1000)} ms`);
        }
      }
    }
  }
  assert.deepEqual(slow, [], `an ordinary one takes ${least / 1000} ms at most`);
});
