/** What a watch does when its streams end; the gateway is a script on a loopback port. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, PaygateError, watch } from "../src/index.ts";

type Answer = (reply: ServerResponse) => void;
const message = (id: string, cursor: string) => `data: ${JSON.stringify(id ? { event: { id }, cursor } : { cursor })}\n\n`;
const open = (...lines: string[]): Answer => (reply) => {
  reply.writeHead(200, { "content-type": "text/event-stream" });
  for (const line of lines) reply.write(line);
};
const ends = (...lines: string[]): Answer => (reply) => (open(...lines)(reply), reply.end());
const breaks = (...lines: string[]): Answer => (reply) => (open(...lines)(reply), setTimeout(() => reply.socket!.destroy(), 50));
const refuses = (status: number, reason: string): Answer => (reply) => {
  reply.writeHead(status, { "content-type": "application/json" });
  reply.end(JSON.stringify({ code: 3, message: "Said so.", details: [{ reason }] }));
};

/** Watches what one answer after the other says, and returns what was asked and told. */
async function watching(answers: Answer[], { deadlineSeconds = 30, each = async () => {} }: { deadlineSeconds?: number; each?: (stop: AbortController) => Promise<void> | void } = {}) {
  const asked: (string | null)[] = [];
  const found: string[] = [];
  const server = createServer((request, reply) => {
    asked.push(new URL(request.url!, "http://gateway").searchParams.get("cursor"));
    (answers[asked.length - 1] ?? answers.at(-1)!)(reply);
  });
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  const paygate = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "sk_test");
  const stop = new AbortController();
  let error: unknown;
  try {
    for await (const { event, cursor } of watch(paygate, {}, { signal: stop.signal, deadlineSeconds })) {
      found.push(`${event.id} ${cursor}`);
      await each(stop);
    }
  } catch (thrown) {
    error = thrown;
  }
  server.closeAllConnections();
  await new Promise((resume) => server.close(resume));
  return { asked, found, error };
}

test("it goes on from the last cursor, whatever ends a stream", async () => {
  const whole = message("evt_2", "c");
  const { asked, found, error } = await watching([
    ends(message("", "a"), message("evt_1", "b")),
    refuses(429, "WATCH_LIMIT"),
    breaks(whole.slice(0, 9), whole.slice(9), message("", "d"), 'data: {"cursor": "never"'),
    refuses(503, "WATCH_ENDED"),
    refuses(401, "UNAUTHENTICATED"),
  ]);
  assert.deepEqual(found, ["evt_1 b", "evt_2 c"]);
  assert.deepEqual(asked, [null, "b", "b", "d", "d"]);
  assert.ok(error instanceof PaygateError);
  assert.equal(error.reason, "UNAUTHENTICATED");
});

test("the deadline ends it, with what was refused or without a stream", async () => {
  for (const [answer, reason] of [[refuses(429, "WATCH_LIMIT"), "WATCH_LIMIT"], [ends(), "CONNECTION_FAILED"]] as const) {
    const { asked, error } = await watching([answer], { deadlineSeconds: 1.5 });
    assert.ok(error instanceof PaygateError);
    assert.equal(error.reason, reason);
    assert.ok(asked.length > 1);
  }
});

test("the time that an event takes does not count", async () => {
  const each = () => new Promise<void>((resume) => setTimeout(resume, 1_200));
  const answers = [ends(message("evt_1", "a")), ends(message("evt_2", "b")), refuses(403, "PERMISSION_DENIED")];
  const { found, error } = await watching(answers, { deadlineSeconds: 1, each });
  assert.deepEqual(found, ["evt_1 a", "evt_2 b"]);
  assert.equal((error as PaygateError).reason, "PERMISSION_DENIED");
});

test("it ends when the caller gives up, also while nothing comes", async () => {
  const two = [message("evt_1", "a"), message("evt_2", "b")];
  const atOnce = await watching([open(...two)], { each: (stop) => stop.abort() });
  assert.deepEqual([atOnce.found, atOnce.error], [["evt_1 a"], undefined]);
  const later = await watching([open(two[0]!)], { each: (stop) => void setTimeout(() => stop.abort(), 50) });
  assert.deepEqual([later.found, later.error, later.asked.length], [["evt_1 a"], undefined, 1]);
});

test("a silence ends a stream, and the next one is asked for", async ({ mock }) => {
  const real = globalThis.setTimeout;
  mock.method(globalThis, "setTimeout", (work: () => void, after: number) => real(work, after === 15_000 ? 100 : after));
  const { asked, found } = await watching([open(message("", "a")), ends(message("evt_1", "b")), refuses(401, "UNAUTHENTICATED")]);
  assert.deepEqual([asked, found], [[null, "a", "b"], ["evt_1 b"]]);
});

test("what can't be read is an error at once", async () => {
  for (const line of ["data: {\n\n", "data: {}\n\n", "data: null\n\n"]) {
    const { asked, error } = await watching([open(line)]);
    assert.ok(error instanceof PaygateError);
    assert.deepEqual([error.reason, asked.length], ["UNEXPECTED_REPLY", 1]);
  }
});
