/** Rules of the house for the desk's modules; modules.test.js has those of the customer's page. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const MODULES = new URL("chat/static/chat/desk/", ROOT);
const PAGE = new URL("chat/static/chat/js/", ROOT);
const TEMPLATES = new URL("templates/admin/", ROOT);
const templates = readdirSync(TEMPLATES, { recursive: true }).filter((name) => name.endsWith(".html"));
const names = readdirSync(MODULES).filter((name) => name.endsWith(".js"));
const read = (name, folder = MODULES) => readFileSync(new URL(name, folder), "utf8");
const IMPORT = /^(?:import|export)\s[^"';]*from\s+["']([^"']+)["'].?|^import\s+["']([^"']+)["'].?/gm;

test("a module is 120 lines at most", () => {
  for (const name of names) assert.ok(read(name).split("\n").length <= 121, `${name} is longer`);
});

test("every import ends with a semicolon, or the hashed static files would not follow it", () => {
  for (const name of names) {
    for (const [statement] of read(name).matchAll(IMPORT)) {
      assert.ok(statement.endsWith(";"), `${name}: ${statement}`);
    }
  }
});

test("HTML is never made of text", () => {
  const unsafe = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/;
  assert.deepEqual(names.filter((name) => unsafe.test(read(name))), []);
});

test("the page of a session asks for every module it needs at once", () => {
  const needed = new Set();
  const visit = (url) => {
    for (const match of readFileSync(url, "utf8").matchAll(IMPORT)) {
      const next = new URL(match[1] ?? match[2], url);
      if (needed.has(next.href)) continue;
      needed.add(next.href);
      visit(next);
    }
  };
  visit(new URL("session.js", MODULES));
  const listed = [...read("desk/_modules.html", TEMPLATES).matchAll(/chat\/((?:js|desk|earlier)\/\w+\.js)/g)]
    .map(([, path]) => new URL(`chat/static/chat/${path}`, ROOT).href);
  assert.deepEqual(listed.toSorted(), [...needed].toSorted());
  assert.ok(listed.some((href) => href.startsWith(PAGE.href)));
});

test("what the modules look for is in the templates", () => {
  const html = templates.map((name) => read(name, TEMPLATES)).join("\n");
  for (const name of names) {
    for (const [, attribute] of read(name).matchAll(/\[(data-[a-z-]+)/g)) {
      assert.ok(html.includes(attribute), `${name} looks for ${attribute}`);
    }
  }
});

test("no element carries its own script or style: the policy forbids them", () => {
  for (const name of templates) {
    assert.doesNotMatch(read(name, TEMPLATES), /\sstyle=|\son[a-z]+=|<style|<script(?![^>]*src=)/, name);
  }
});
