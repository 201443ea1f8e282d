/** The stream goes on from where it broke: nothing is lost, and nothing is told twice. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { backOff, Live, type Event } from "../src/api/live.ts";
import { session, signOut } from "../src/api/session.ts";
import { refuses, serving, signedIn, type Answer, type Asked } from "./gateway.ts";

const SECONDS_MAX = 10;

beforeEach(() => signedIn());

const message = (number: number) => `data: {"event":{"id":"evt_${number}"},"cursor":"c${number}"}\n\n`;
const HEARTBEAT = 'data: {"cursor":"c0"}\n\n';

/** Answers with these lines, and then ends, breaks in the middle, or stays open. */
const streams =
  (text: string, after: "ends" | "breaks" | "stays"): Answer =>
  (reply) => {
    reply.writeHead(200, { "content-type": "text/event-stream" });
    reply.write(text, () => {
      if (after === "ends") reply.end();
      if (after === "breaks") reply.socket?.destroy();
    });
  };

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 1000 * SECONDS_MAX;
  while (!condition()) {
    assert.ok(Date.now() < end, "it does not come to that");
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

/** Watches a gateway until a condition holds, and returns what was told and asked. */
async function watched(answers: readonly Answer[], done: (told: string[], live: Live, asked: Asked[]) => boolean) {
  const told: string[] = [];
  const asked = await serving(answers, async (url, asked) => {
    const onEvent = (event: Event) => void told.push(event.id);
    const live = new Live({ onEvent, onBegin: () => void told.push("begin"), paymentId: "pay_1" }, url);
    live.start();
    try {
      await until(() => done(told, live, asked));
    } finally {
      live.stop(); // it would go on for ever
    }
    assert.equal(live.state.value, "off");
  });
  return { told, cursors: asked.map(({ url }) => new URL(url, "http://x").searchParams.get("cursor")), asked };
}

test("after a break it goes on from the last whole message", async () => {
  const cut = HEARTBEAT + message(1) + message(2).slice(0, 20);
  const answers = [streams(cut, "breaks"), streams(message(2), "ends"), streams(message(3), "stays")];
  const { told, cursors, asked } = await watched(answers, (told, live) => told.length === 4 && live.state.value === "live");
  assert.deepEqual(told, ["begin", "evt_1", "evt_2", "evt_3"]);
  assert.deepEqual(cursors, [null, "c1", "c2"]);
  assert.ok(asked.every(({ url }) => url.includes("payment_id=pay_1")));
});

test("it tries again while nobody answers, and after as long as it is told to", async () => {
  const began = Date.now();
  const busy = refuses(429, "RATE_LIMITED", { "retry-after": "1" });
  const answers: Answer[] = [(reply) => void reply.socket?.destroy(), busy, streams(HEARTBEAT, "stays")];
  const { told } = await watched(answers, (_, live) => live.state.value === "live");
  assert.deepEqual(told, ["begin"]);
  assert.ok(Date.now() - began >= 1250);
});

test("with too many streams it says so, and takes the place of one that ends", async () => {
  const states: string[] = [];
  const crowded = refuses(429, "WATCH_LIMIT");
  await watched([crowded, crowded, streams(HEARTBEAT, "stays")], (_, live) => {
    if (states.at(-1) !== live.state.value) states.push(live.state.value);
    return live.state.value === "live";
  });
  assert.deepEqual(states, ["connecting", "crowded", "live"]);
});

test("a cursor that is no longer known begins anew", async () => {
  const answers = [streams(HEARTBEAT + message(1), "ends"), refuses(400, "VALIDATION_FAILED"), streams(HEARTBEAT + message(9), "stays")];
  const { told, cursors } = await watched(answers, (told) => told.includes("evt_9"));
  assert.deepEqual(told, ["begin", "evt_1", "begin", "evt_9"]);
  assert.deepEqual(cursors, [null, "c1", null]);
});

test("a key that is refused ends it, and one that is given begins it", async () => {
  const answers = [refuses(401, "INVALID_API_KEY"), streams(HEARTBEAT, "stays")];
  let signedOut = false;
  await watched(answers, (told, live) => {
    if (!signedOut && session.value.state === "out" && live.state.value === "off") {
      signedOut = true;
      signedIn("sk_89ab_cdef");
    }
    return told.length === 1;
  });
  assert.ok(signedOut);
});

test("who signs out reads no more", async () => {
  await watched([streams(HEARTBEAT, "stays")], (told, live) => {
    if (told.length && session.value.key) signOut();
    return !session.value.key && live.state.value === "off";
  });
});

test("it waits longer each time, and never longer than 5 s", () => {
  const longest = [0, 1, 2, 3, 4, 5, 50].map((failed) => backOff(failed, 1));
  assert.deepEqual(longest, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  const shortest = [0, 1, 2, 5].map((failed) => backOff(failed, 0));
  assert.deepEqual(shortest, [250, 250, 500, 2500]);
});
