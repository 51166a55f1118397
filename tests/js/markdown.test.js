import assert from "node:assert/strict";
import { test } from "node:test";

import { parseMarkdown } from "../../chat/static/chat/js/markdown.js";
import { plainText } from "../../chat/static/chat/js/markdown_plain.js";
import { parseInline } from "../../chat/static/chat/js/markdown_inline.js";

const ANSWER = `Bonjour **Camille**, voici *deux* canapés à **moins de 1 500 €** :

1. Le **Lisière** (\`SAL-CAP-001\`), [voir la fiche](https://example.test/lisiere "Fiche").
   - tissu lavable
   - 210 × 95 cm
2. Le __Garenne__, réf_interne_12, 5 * 3 places

## Livraison

> Comptez *six semaines*,
> parfois ~~sept~~ huit.

| Modèle | Prix |
|:-------|-----:|
| Lisière | **1 290 €** |
| Garenne | 990 € |

---

\`\`\`text
CMD-2025-54321 **tel quel**
- pas une liste
\`\`\`
Bonne journée 🛋️ !`;

function prefixesOf(text) {
  return Array.from({ length: text.length + 1 }, (_, length) => text.slice(0, length));
}

test("what the reader sees only ever grows while an answer is written", () => {
  const whole = plainText(ANSWER).replace(/\s+/g, " ");
  for (const prefix of prefixesOf(ANSWER)) {
    const seen = plainText(prefix).replace(/\s+/g, " ").trimEnd();
    assert.equal(whole.slice(0, seen.length), seen, `after ${JSON.stringify(prefix.slice(-30))}`);
  }
});

test("no marker shows in the finished answer", () => {
  assert.equal(plainText(ANSWER), `Bonjour Camille, voici deux canapés à moins de 1 500 € :
Le Lisière (SAL-CAP-001), voir la fiche.
tissu lavable
210 × 95 cm
Le Garenne, réf_interne_12, 5 * 3 places
Livraison
Comptez six semaines,
parfois sept huit.
Modèle
Prix
Lisière
1 290 €
Garenne
990 €

CMD-2025-54321 **tel quel**
- pas une liste
Bonne journée 🛋️ !`);
});

test("blocks are told apart", () => {
  const types = parseMarkdown(ANSWER).map(({ type }) => type);
  assert.deepEqual(types, [
    "paragraph", "list", "heading", "quote", "table", "rule", "code", "paragraph",
  ]);
});

test("a list keeps its start, and a list in it", () => {
  const [list] = parseMarkdown("3. trois\n   - dedans\n4. quatre");
  assert.equal(list.start, 3);
  assert.deepEqual(list.items.map((item) => item.map(({ type }) => type)), [
    ["paragraph", "list"], ["paragraph"],
  ]);
});

for (const [text, expected] of [
  ["**gras", [{ type: "strong", children: ["gras"] }]],
  ["un **", ["un "]],
  ["un *", ["un "]],
  ["5 * 3 * 2", ["5 * 3 * 2"]],
  ["***les deux***", [{ type: "strong", children: [{ type: "em", children: ["les deux"] }] }]],
  ["**a *b* c**", [{ type: "strong", children: ["a ", { type: "em", children: ["b"] }, " c"] }]],
  ["`code", [{ type: "code", children: ["code"] }]],
  ["`a ** b`", [{ type: "code", children: ["a ** b"] }]],
  ["voir [la fi", ["voir "]],
  ["voir [la fiche](https://exa", ["voir "]],
  ["[sic] vu", ["[sic] vu"]],
  ["[non](javascript:alert(1))", [
    { type: "link", href: "javascript:alert(1", children: ["non"] }, ")",
  ]],
  ["\\*littéral\\*", ["*littéral*"]],
  ["a\nb", ["a", { type: "break" }, "b"]],
  ["<b>brut</b> & co", ["<b>brut</b> & co"]],
  ["snake_case_name", ["snake_case_name"]],
]) {
  test(`inline ${JSON.stringify(text)}`, () => assert.deepEqual(parseInline(text), expected));
}

test("a hostile text is parsed quickly and without overflow", () => {
  const hostile = [
    "*a ".repeat(5_000), "**".repeat(5_000), "> ".repeat(5_000) + "x", "- ".repeat(5_000) + "x",
    "[".repeat(20_000), "`a``".repeat(5_000), "|".repeat(20_000), " ".repeat(50_000) + "x",
    "#".repeat(20_000) + " x", "# x" + " #".repeat(10_000) + "x",
  ];
  for (const text of hostile) {
    const start = performance.now();
    plainText(text);
    const spent = performance.now() - start;
    assert.ok(spent < 500, `${text.slice(0, 10)}… took ${spent} ms`);
  }
});
