import assert from "node:assert/strict";
import { test } from "node:test";

import { createSocket } from "../../chat/static/chat/js/socket.js";
import { FakeWebSocket, fakeClock } from "./fakes.js";

/** A connection to a server that is this test. `made`: every WebSocket so far. */
function line() {
  const clock = fakeClock();
  const [made, heard, told] = [[], [], []];
  const socket = createSocket({
    open() {
      made.push(new FakeWebSocket());
      return made.at(-1);
    },
    onEvent: (event) => heard.push(event.type),
    onStatus: (status) => told.push(status),
    clock,
    random: () => 1,
  });
  socket.start();
  return { clock, socket, made, heard, told, last: () => made.at(-1) };
}

function connected() {
  const parts = line();
  parts.last().say({ type: "session.state" });
  return parts;
}

test("connected means that the server was heard, not that a socket opened", () => {
  const { last, told, heard } = line();
  last().accept();
  assert.deepEqual(told, ["connecting"]);
  last().say({ type: "session.state" });
  assert.deepEqual([told, heard], [["connecting", "connected"], ["session.state"]]);
});

test("a cut is repaired within 0.3 s, and the count begins again", () => {
  const { clock, made, last, told } = connected();
  for (let cut = 0; cut < 3; cut += 1) {
    last().end(1006);
    clock.advance(300);
    last().say({ type: "session.state" });
  }
  assert.equal(made.length, 4);
  assert.deepEqual(told.slice(-2), ["connecting", "connected"]);
});

test("a server that stays away is asked less and less, and it is said", () => {
  const { clock, made, last, told } = connected();
  last().end(1006);
  for (const delayMs of [300, 600, 1200, 2400, 4800, 9600, 15_000, 15_000]) {
    clock.advance(delayMs - 1);
    const before = made.length;
    clock.advance(1);
    assert.equal(made.length, before + 1, `after ${delayMs} ms`);
    last().end(1006);
  }
  assert.equal(told.at(-1), "offline");
});

test("a server that accepts and closes at once is not hammered", () => {
  const { clock, made, last } = line();
  for (let n = 0; n < 5; n += 1) {
    last().accept();
    last().end(1011);
    clock.advance(300 * 2 ** n);
  }
  assert.equal(made.length, 6);
});

test("where sockets never work, another way is asked for", () => {
  const { clock, last, told } = line();
  for (let n = 0; n < 4; n += 1) {
    last().end(1006);
    clock.advance(15_000);
  }
  assert.deepEqual(told, ["connecting", "offline", "barred"]);
});

test("a ping goes every 20 s, and answers keep the connection", () => {
  const { clock, made, last } = connected();
  for (let n = 0; n < 10; n += 1) {
    clock.advance(20_000);
    last().say({ type: "pong" });
  }
  assert.equal(made.length, 1);
  assert.deepEqual(last().sent, Array(10).fill({ type: "ping" }));
});

test("a server silent for 45 s is left for another connection", () => {
  const { clock, made, told } = connected();
  clock.advance(44_999);
  assert.equal(made.length, 1);
  clock.advance(1 + 300);
  assert.equal(made.length, 2);
  assert.equal(made[0].readyState, 3);
  assert.deepEqual(told.slice(-1), ["connecting"]);
});

test("what an abandoned connection still says is not heard", () => {
  const { clock, made, heard } = connected();
  clock.advance(45_300);
  made[0].say({ type: "message.done" });
  made[0].end(1006);
  assert.deepEqual([heard, made.length], [["session.state"], 2]);
});

for (const [code, status] of [[4401, "expelled"], [4403, "refused"]]) {
  test(`after ${code} it stays closed`, () => {
    const { clock, made, last, told, socket } = line();
    last().accept();
    last().end(code);
    clock.advance(3_600_000);
    socket.wake();
    assert.deepEqual([made.length, told.at(-1)], [1, status]);
  });
}

test("after 4429 it waits for more than half a minute, whatever wakes it", () => {
  const { clock, made, last, socket, told } = connected();
  last().end(4429);
  socket.wake();
  clock.advance(30_000);
  assert.deepEqual([made.length, told.at(-1)], [1, "busy"]);
  clock.advance(30_000);
  assert.equal(made.length, 2);
});

test("a page that wakes up finds out within 5 s that its connection died", () => {
  const { clock, made, socket } = connected();
  socket.wake();
  assert.deepEqual(made[0].sent, [{ type: "ping" }]);
  clock.advance(5_300);
  assert.equal(made.length, 2);
});

test("a page that wakes up keeps a connection that answers", () => {
  const { clock, made, socket, last } = connected();
  socket.wake();
  clock.advance(10);
  last().say({ type: "pong" });
  clock.advance(6_000);
  assert.equal(made.length, 1);
});

test("when the network is back nobody waits for a timer", () => {
  const { made, socket, told } = connected();
  socket.sleep();
  assert.equal(told.at(-1), "offline");
  socket.wake();
  assert.equal(made.length, 2);
});

test("nothing is sent into a closed connection, and the caller knows", () => {
  const { socket, last } = line();
  assert.equal(socket.send({ type: "ping" }), false);
  last().accept();
  assert.equal(socket.send({ type: "ping" }), true);
});

test("a connection stopped stays so", () => {
  const { clock, made, socket, told } = connected();
  socket.stop();
  socket.wake();
  socket.sleep();
  clock.advance(3_600_000);
  assert.deepEqual([made.length, told.at(-1)], [1, "stopped"]);
});
