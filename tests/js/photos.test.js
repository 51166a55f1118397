import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { createExchange, failureOf } from "../../chat/static/chat/photos/exchange.js";
import { createTray, MAX_BYTES, refusal } from "../../chat/static/chat/photos/tray.js";
import { WORDS, percent } from "../../chat/static/chat/photos/words.js";

const file = (name = "a.jpg", more = {}) => ({ name, size: 1000, type: "image/jpeg", ...more });
const photo = (id) => ({ id, url: `/photos/${id}/`, thumbnail_url: `/photos/${id}/?small=1`, attached: false });
const states = (tray) => tray.entries().map(({ state }) => state);

/** A server that answers when the test says so. */
function fakeServer() {
  const asked = [];
  return {
    asked,
    withdrawn: [],
    send(sent, tell, signal) {
      return new Promise((resolve, reject) => {
        asked.push({ name: sent.name, tell, resolve, reject, signal });
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
    },
    async withdraw(id) {
      this.withdrawn.push(id);
    },
  };
}

function open() {
  const server = fakeServer();
  const said = [];
  const tray = createTray({
    send: (...what) => server.send(...what),
    withdraw: (id) => server.withdraw(id),
    onChange: (_, news) => news && said.push(news),
  });
  return { server, said, tray };
}

const settled = () => new Promise((resolve) => { setImmediate(resolve); });

for (const [what, more, expected] of [
  ["a JPEG", {}, ""],
  ["a HEIC that the browser does not know", { type: "", name: "IMG_1.HEIC" }, ""],
  ["exactly ten megabytes", { size: MAX_BYTES }, ""],
  ["one byte more", { size: MAX_BYTES + 1 }, WORDS.tooLarge],
  ["nothing", { size: 0 }, WORDS.empty],
  ["a page", { type: "text/html" }, WORDS.notAPhoto],
  ["a drawing", { type: "image/svg+xml" }, WORDS.notAPhoto],
]) {
  test(`${what} is ${expected ? "refused" : "taken"} before it is sent`, () => {
    assert.equal(refusal(file("a", more)), expected);
  });
}

test("photos are sent one after the other, in order", async () => {
  const { server, said, tray } = open();
  tray.add([file("a.jpg"), file("b.jpg")]);
  assert.deepEqual(states(tray), ["sending", "waiting"]);
  server.asked[0].tell(0.5);
  assert.equal(tray.entries()[0].share, 0.5);
  server.asked[0].resolve(photo("1"));
  await settled();
  assert.deepEqual(states(tray), ["stored", "sending"]);
  server.asked[1].resolve(photo("2"));
  await settled();
  assert.deepEqual(states(tray), ["stored", "stored"]);
  assert.deepEqual(said, [WORDS.added, WORDS.added]);
});

test("a failure is said, kept, and may be tried again", async () => {
  const { server, said, tray } = open();
  tray.add([file("a.jpg"), file("b.jpg")]);
  server.asked[0].reject({ message: "coupée", canRetry: true });
  await settled();
  assert.deepEqual(states(tray), ["failed", "sending"]);
  assert.deepEqual(said, ["coupée"]);
  server.asked[1].resolve(photo("2"));
  await settled();
  tray.retry(tray.entries()[0].key);
  assert.deepEqual(server.asked.map(({ name }) => name), ["a.jpg", "b.jpg", "a.jpg"]);
  server.asked[2].resolve(photo("1"));
  await settled();
  assert.deepEqual(states(tray), ["stored", "stored"]);
});

test("what is sent can be stopped, and the next one goes on", async () => {
  const { server, said, tray } = open();
  tray.add([file("a.jpg"), file("b.jpg")]);
  tray.remove(tray.entries()[0].key);
  await settled();
  assert.ok(server.asked[0].signal.aborted);
  assert.deepEqual(tray.entries().map(({ name, state }) => [name, state]), [["b.jpg", "sending"]]);
  assert.deepEqual(said, [WORDS.cancelled]);
});

test("what waits is forgotten without being sent", async () => {
  const { server, tray } = open();
  tray.add([file("a.jpg"), file("b.jpg")]);
  tray.remove(tray.entries()[1].key);
  server.asked[0].resolve(photo("1"));
  await settled();
  assert.equal(server.asked.length, 1);
});

test("a stored photo is deleted by the server before it leaves the page", async () => {
  const { server, tray } = open();
  tray.show([photo("1")]);
  await tray.remove(tray.entries()[0].key);
  assert.deepEqual([server.withdrawn, tray.entries()], [["1"], []]);

  tray.show([photo("2")]);
  server.withdraw = async () => { throw failureOf(503, { detail: "plus tard" }); };
  await tray.remove(tray.entries()[0].key);
  assert.deepEqual(tray.entries().map(({ state, error }) => [state, error]), [["stored", "plus tard"]]);
});

test("a sixth is not sent", () => {
  const { server, said, tray } = open();
  tray.show(["1", "2", "3"].map(photo));
  tray.add([file("d.jpg"), file("e.jpg"), file("f.jpg")]);
  assert.deepEqual(states(tray), ["stored", "stored", "stored", "sending", "waiting", "failed"]);
  assert.deepEqual(said, [WORDS.tooMany]);
  assert.equal(server.asked.length, 1);
});

test("the same file again is the same photo", async () => {
  const { server, tray } = open();
  tray.show([photo("1")]);
  tray.add([file("again.jpg")]);
  server.asked[0].resolve(photo("1"));
  await settled();
  assert.deepEqual(tray.entries().map((entry) => entry.photo.id), ["1"]);
  tray.show([photo("1"), photo("2")]);
  assert.equal(tray.entries().length, 2);
});

for (const [status, body, message, canRetry] of [
  [422, { detail: "Cette image est animée." }, "Cette image est animée.", false],
  [413, null, WORDS.tooLarge, false],
  [429, { detail: "Patientez." }, "Patientez.", true],
  [503, null, WORDS.failed, true],
  [500, "<html>", WORDS.failed, true],
  [403, null, WORDS.failed, false],
]) {
  test(`an answer ${status} says what to do`, () => {
    const failure = failureOf(status, body);
    assert.deepEqual([failure.message, failure.canRetry], [message, canRetry]);
  });
}

/** XMLHttpRequest as far as exchange.js uses it; the test is the server. */
class FakeRequest extends EventTarget {
  static made = [];
  upload = new EventTarget();
  headers = {};
  constructor() {
    super();
    FakeRequest.made.push(this);
  }
  open(...where) { this.where = where; }
  setRequestHeader(name, value) { this.headers[name] = value; }
  send(body) { this.body = body; }
  abort() { this.dispatchEvent(new Event("abort")); }
  answer(status, response) {
    Object.assign(this, { status, response });
    this.dispatchEvent(new Event("load"));
  }
}

test("a photo goes out with the page's token, and tells how far it is", async () => {
  const { send } = createExchange("jeton", FakeRequest);
  const told = [];
  const sending = send(new File(["x"], "a.jpg"), (share) => told.push(share), new AbortController().signal);
  const request = FakeRequest.made.at(-1);
  assert.deepEqual(request.where, ["POST", "/photos/"]);
  assert.equal(request.headers.Accept, "application/json");
  assert.equal(request.headers["X-CSRFToken"], "jeton");
  assert.deepEqual([...request.body.keys()], ["photo"]);
  const progress = Object.assign(new Event("progress"), { loaded: 1, total: 4, lengthComputable: true });
  request.upload.dispatchEvent(progress);
  request.answer(201, { photo: photo("1") });
  assert.deepEqual([(await sending).id, told], ["1", [0.25]]);
});

test("a cut and a stop end the sending", async () => {
  const { send } = createExchange("jeton", FakeRequest);
  const stop = new AbortController();
  const stopped = send(new File(["x"], "a.jpg"), () => {}, stop.signal);
  stop.abort();
  await assert.rejects(stopped, { message: WORDS.offline });
  const cut = send(new File(["x"], "a.jpg"), () => {}, new AbortController().signal);
  FakeRequest.made.at(-1).dispatchEvent(new Event("error"));
  await assert.rejects(cut, { canRetry: true });
});

test("listing and withdrawing say what the server says", async () => {
  const asked = [];
  const answers = [Response.json({ photos: [photo("1")] }), new Response(null, { status: 204 }), Response.json({ detail: "non" }, { status: 403 })];
  const { list, withdraw } = createExchange("jeton", FakeRequest, async (url, options) => {
    asked.push([options.method ?? "GET", url]);
    return answers.shift();
  });
  assert.equal((await list())[0].id, "1");
  await withdraw("1");
  await assert.rejects(withdraw("2"), { message: "non" });
  assert.deepEqual(asked, [["GET", "/photos/"], ["POST", "/photos/1/delete/"], ["POST", "/photos/2/delete/"]]);
});

test("progress is said in whole percents", () => {
  assert.deepEqual([0, 0.999, 1].map(percent), ["0 %", "99 %", "100 %"]);
});

const MODULES = new URL("../../chat/static/chat/photos/", import.meta.url);

test("modules are short, their imports are followed by hashed files, and HTML is never made of text", () => {
  for (const name of readdirSync(MODULES).filter((found) => found.endsWith(".js"))) {
    const text = readFileSync(new URL(name, MODULES), "utf8");
    assert.ok(text.split("\n").length <= 121, `${name} is longer`);
    for (const [statement] of text.matchAll(/^import\s[^"']*["'][^"']*["'].?/gm)) {
      assert.ok(statement.endsWith(";"), `${name}: ${statement}`);
    }
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/, name);
  }
});
