/** The recap's modules: rules of the house, and what its words and rows promise. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { WORDS } from "../../chat/static/chat/recap/words.js";

const ROOT = new URL("../../", import.meta.url);
const MODULES = new URL("chat/static/chat/recap/", ROOT);
const names = readdirSync(MODULES).filter((name) => name.endsWith(".js"));
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");
const readModule = (name) => readFileSync(new URL(name, MODULES), "utf8");

test("a module is 120 lines at most", () => {
  for (const name of names) {
    assert.ok(readModule(name).split("\n").length <= 121, `${name} is longer`);
  }
});

test("every import ends with a semicolon, or the hashed static files would not follow it", () => {
  for (const name of names) {
    for (const [statement] of readModule(name).matchAll(/^import\s[^"']*["'][^"']*["'].?/gm)) {
      assert.ok(statement.endsWith(";"), `${name}: ${statement}`);
    }
  }
});

test("what the customer wrote is never taken for HTML", () => {
  const unsafe = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/;
  assert.deepEqual(names.filter((name) => unsafe.test(readModule(name))), []);
});

test("with and without JavaScript the recap says the same", () => {
  const html = read("templates/chat/_recap.html");
  for (const word of ["title", "note", "confirm", "edit", "drop", "save"]) {
    assert.ok(html.includes(`"${WORDS[word]}"`), WORDS[word]);
  }
});

test("its forms go where the server takes them", () => {
  const urls = read("chat/urls.py");
  const paths = [...readModule("card.js").matchAll(/makeForm\("(\w+)"/g)].map(([, path]) => path);
  paths.push(readModule("fields.js").match(/makeForm\("(\w+)"/)[1]);
  assert.deepEqual(paths.toSorted(), ["abandonner", "modifier", "valider"]);
  for (const path of paths) assert.ok(urls.includes(`"demande/${path}/"`), path);
});

test("a page without a request in the making loads none of it, and pays 150 bytes at most", () => {
  const connection = read("chat/static/chat/js/connection.js");
  const hook = /\n  let recap;\n/;
  assert.match(connection, hook);
  const bare = connection
    .replace(hook, "\n")
    .replace(/\{\n\s+open:[\s\S]*?\n  \}\)/, "{ open: () => new WebSocket(url), ...hears })");
  assert.notEqual(bare, connection);
  assert.doesNotMatch(bare, /recap/);
  const cost = gzipSync(connection).length - gzipSync(bare).length;
  assert.ok(cost < 150, `${cost} bytes`);
  assert.doesNotMatch(read("templates/chat/_modules.html"), /recap/);
});
