/** Rules of the house that a linter would not know. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url);
const MODULES = new URL("chat/static/chat/js/", ROOT);
const STYLES = new URL("chat/static/chat/css/", ROOT);
const TEMPLATES = new URL("templates/chat/", ROOT);
const names = readdirSync(MODULES).filter((name) => name.endsWith(".js"));
const read = (name, folder = MODULES) => readFileSync(new URL(name, folder), "utf8");

test("a module is 160 lines at most", () => {
  for (const name of names) {
    assert.ok(read(name).split("\n").length <= 161, `${name} is longer`);
  }
});

test("every import ends with a semicolon, or the hashed static files would not follow it", () => {
  for (const name of names) {
    for (const [statement] of read(name).matchAll(/^import\s[^"']*["'][^"']*["'].?/gm)) {
      assert.ok(statement.endsWith(";"), `${name}: ${statement}`);
    }
  }
});

test("HTML is taken from the server's own rendering alone", () => {
  const unsafe = /innerHTML\s*=|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/;
  assert.deepEqual(names.filter((name) => unsafe.test(read(name))), ["markdown_view.js"]);
  assert.equal(read("markdown_view.js").match(/innerHTML/g).length, 1);
});

test("the page asks for every module at once", () => {
  const listed = [...read("_modules.html", TEMPLATES).matchAll(/chat\/js\/(\w+\.js)/g)];
  assert.deepEqual(listed.map(([, name]) => name), names.filter((name) => name !== "chat.js"));
});

test("what the modules look for is in the templates", () => {
  const html = readdirSync(TEMPLATES).map((name) => read(name, TEMPLATES)).join("\n");
  for (const name of names) {
    for (const [, attribute] of read(name).matchAll(/\[(data-[a-z-]+)/g)) {
      const isOfTheTemplates = html.includes(attribute) || attribute === "data-writing";
      assert.ok(isOfTheTemplates, `${name} looks for ${attribute}`);
    }
  }
});

test("no element carries its own script or style: the policy forbids them", () => {
  for (const name of readdirSync(TEMPLATES)) {
    assert.doesNotMatch(read(name, TEMPLATES), /\sstyle=|\son[a-z]+=|<style|<script(?![^>]*src=)/, name);
  }
});

test("scripts and styles fit in 34.5 kB, which leaves 5.5 for the page and hashed names", () => {
  const styles = ["theme.css", "page.css", "chat.css"].map((name) => read(name, STYLES));
  const all = [...names.map((name) => read(name)), ...styles];
  const bytes = all.reduce((sum, text) => sum + gzipSync(text, { level: 6 }).length, 0);
  assert.ok(bytes <= 34_500, `${bytes} bytes`);
});
