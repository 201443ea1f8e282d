/** Messages are read from pieces that end anywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lines } from "../src/api/lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a message is the same wherever its pieces end, in a character, too", () => {
  const whole = bytes('data: {"cursor":"é€😀"}\n\n: a comment\r\ndata:{"cursor":"2"}\r\n\r\n');
  for (let size = 1; size <= whole.length; size++) {
    const lines = new Lines();
    const read: unknown[] = [];
    for (let at = 0; at < whole.length; at += size) read.push(...lines.push(whole.subarray(at, at + size)));
    assert.deepEqual(read, [{ cursor: "é€😀" }, { cursor: "2" }], `pieces of ${size}`);
  }
});

test("what was not whole is not told", () => {
  assert.deepEqual(new Lines().push(bytes('data: {"cursor":"1"}')), []);
});

test("what is no message ends the reading", () => {
  assert.throws(() => new Lines().push(bytes("data: {\n")), SyntaxError);
  const lines = new Lines();
  assert.throws(() => {
    for (let piece = 0; piece < 40; piece++) lines.push(bytes("x".repeat(50_000)));
  }, RangeError);
});
