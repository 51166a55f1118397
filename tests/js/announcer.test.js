import assert from "node:assert/strict";
import { test } from "node:test";

import { nextSentences } from "../../chat/static/chat/js/announcer.js";
import { plainText } from "../../chat/static/chat/js/markdown_plain.js";

/** What is said while the text comes piece by piece, and at its end. */
function said(text, step) {
  const utterances = [];
  let spoken = 0;
  for (let length = step; length < text.length + step; length += step) {
    const isWhole = length >= text.length;
    const sentences = nextSentences(plainText(text.slice(0, length)), spoken, isWhole);
    spoken += sentences.length;
    if (sentences) utterances.push(sentences.trim());
  }
  return utterances;
}

test("whole sentences are said as they come, each word once", () => {
  const text = "Bonjour **Camille**, merci. Le *Lisière* tient dans 2 m.\n\nIl coûte 1 290 €";
  assert.deepEqual(said(text, 3), [
    "Bonjour Camille, merci.", "Le Lisière tient dans 2 m.", "Il coûte 1 290 €",
  ]);
});

test("a number or an abbreviation alone is no sentence", () => {
  assert.equal(nextSentences("1. M. Dupont", 0, false), "");
});

test("a full stop at the very end may be inside of a number yet", () => {
  assert.equal(nextSentences("Il coûte 1 290.", 0, false), "");
});

test("nothing is said twice, or before it is whole", () => {
  assert.equal(nextSentences("Bonjour Camille. Le", 17, false), "");
  assert.equal(nextSentences("Bonjour Camille.", 16, true), "");
});
