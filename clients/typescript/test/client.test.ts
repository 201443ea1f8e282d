/** What the client does after each answer; the gateway is a script on a loopback port. */
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, PaygateError, result } from "../src/index.ts";

type Answer = (reply: ServerResponse) => void;
type Asked = { headers: IncomingHttpHeaders; body: string };

const PAN = "4929177183640599";
const BODY = {
  card_details: { pan: PAN, expiry: { month: 12, year: 2035 }, cvv: "739" },
  amount: { minor_units: "100", currency: "GBP" },
} as const;
const broken: Answer = (reply) => reply.socket!.destroy();
const cut: Answer = (reply) => {
  reply.writeHead(200, { "content-length": "1000" });
  reply.write('{"pay', () => reply.socket!.destroy());
};
const says =
  (body: unknown, status = 200, headers = {}): Answer =>
  (reply) => {
    reply.writeHead(status, { "content-type": "application/json", ...headers });
    reply.end(JSON.stringify(body));
  };
const refuses = (status: number, reason: string, headers = {}) =>
  says({ code: 3, message: "Said so.", details: [{ reason }] }, status, headers);

/** Serves one answer after the other, the last one for ever, and returns what was asked. */
async function asking<T>(answers: Answer[], ask: (url: string) => Promise<T>) {
  const asked: Asked[] = [];
  const server = createServer(async (request, reply) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push({ headers: request.headers, body });
    (answers[asked.length - 1] ?? answers.at(-1)!)(reply);
  });
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  const { port } = server.address() as AddressInfo;
  const outcome = await ask(`http://127.0.0.1:${port}`).then(
    (said) => ({ said, error: undefined }),
    (error: unknown) => ({ said: undefined, error }),
  );
  server.closeAllConnections();
  await new Promise((resume) => server.close(resume));
  return { asked, ...outcome };
}

const authorize = (deadlineSeconds = 30, headers = {}) => (url: string) =>
  result(connect(url, "sk_test", { deadlineSeconds }).POST("/authorize", { body: BODY, headers }));

test("one key and one body go with all attempts", async () => {
  const answers = [broken, cut, refuses(503, "OVERLOADED"), refuses(409, "IDEMPOTENCY_IN_FLIGHT"), says({ payment: { id: "pay_1" } })];
  const { asked, said } = await asking(answers, authorize());
  assert.equal(said?.payment.id, "pay_1");
  assert.equal(asked.length, 5);
  assert.equal(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size, 1);
  assert.ok(asked[0]?.headers["idempotency-key"]);
  assert.deepEqual(new Set(asked.map(({ body }) => body)), new Set([JSON.stringify(BODY)]));
  assert.equal(asked[0]?.headers.authorization, "Bearer sk_test");
});

test("the caller's own key is used", async () => {
  const { asked } = await asking([says({})], authorize(30, { "idempotency-key": "order-1" }));
  assert.equal(asked[0]?.headers["idempotency-key"], "order-1");
});

test("what asking again does not help is an error at once", async () => {
  for (const [status, reason] of [[400, "VALIDATION_FAILED"], [409, "ACTION_PENDING"], [500, "INTERNAL"]] as const) {
    const { asked, error } = await asking([refuses(status, reason, { "x-request-id": "req-1" })], authorize());
    assert.ok(error instanceof PaygateError);
    assert.deepEqual([error.reason, error.status, error.requestId, asked.length], [reason, status, "req-1", 1]);
  }
});

test("a page that is no reply is an error", async () => {
  for (const [status, body] of [[502, "<html>"], [200, "<html>"], [200, ""], [400, "[1"], [400, '{"details": 1}'], [400, "null"]] as const) {
    const { error } = await asking([(reply) => reply.writeHead(status).end(body)], authorize());
    assert.ok(error instanceof PaygateError, `${status} ${body}: ${error}`);
    assert.equal(error.reason, "UNEXPECTED_REPLY");
  }
});

test("a redirect is an error, and nothing is sent to where it leads", async () => {
  const elsewhere = await asking([says({ payment: { id: "pay_1" } })], async (other) => {
    for (const status of [301, 302, 303, 307, 308]) {
      const leads: Answer = (reply) => reply.writeHead(status, { location: `${other}/authorize` }).end();
      const { asked, error } = await asking([leads], authorize());
      assert.ok(error instanceof PaygateError);
      assert.deepEqual([error.reason, error.status, asked.length], ["UNEXPECTED_REPLY", status, 1]);
    }
  });
  assert.ifError(elsewhere.error);
  assert.deepEqual(elsewhere.asked, []);
});

test("an id does not lead to another path", async () => {
  for (const id of ["", ".", ".."]) {
    const get = (url: string) => connect(url, "sk_test").GET("/payment/{id}", { params: { path: { id } } });
    const { asked, error } = await asking([says({})], get);
    assert.ok(error instanceof TypeError);
    assert.deepEqual(asked, []);
  }
});

test("retry-after is obeyed", async () => {
  const begun = Date.now();
  const { asked, said } = await asking([refuses(429, "RATE_LIMITED", { "retry-after": "1" }), says({})], authorize());
  assert.ok(said);
  assert.equal(asked.length, 2);
  assert.ok(Date.now() - begun >= 1000);
});

test("the deadline ends it, with the last refusal or without any reply", async () => {
  for (const [answer, reason] of [[refuses(503, "OVERLOADED"), "OVERLOADED"], [broken, "CONNECTION_FAILED"]] as const) {
    const { asked, error } = await asking([answer], authorize(0.5));
    assert.ok(error instanceof PaygateError);
    assert.equal(error.reason, reason);
    assert.ok(asked.length > 1);
    assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes(PAN));
  }
});

test("an answer that never comes is given up at the deadline", async () => {
  const { error } = await asking([() => undefined], authorize(0.3));
  assert.ok(error instanceof PaygateError);
});

for (const path of ["/webhook-endpoints/{id}", "/sandbox/bank-rules/{id}", "/sandbox/sandboxes/{id}"] as const) {
  test(`what is gone from ${path} on the second try was deleted by the first`, async () => {
    const remove = (url: string) => result(connect(url, "sk_test").DELETE(path, { params: { path: { id: "an_id" } } }));
    const gone = refuses(404, "NOT_FOUND");
    assert.equal((await asking([broken, gone], remove)).error, undefined);
    assert.ok((await asking([gone], remove)).error instanceof PaygateError);
  });
}

test("the caller can give up", async () => {
  const controller = new AbortController();
  const stop: Answer = () => controller.abort();
  const { asked, error } = await asking([stop], (url) =>
    connect(url, "sk_test").GET("/payments", { signal: controller.signal }),
  );
  assert.ok(error instanceof DOMException);
  assert.equal(asked.length, 1);
});

test("the caller can give up while it waits to ask again", async () => {
  const [controller, begun] = [new AbortController(), Date.now()];
  const later: Answer = (reply) => {
    refuses(429, "RATE_LIMITED", { "retry-after": "3" })(reply);
    setTimeout(() => controller.abort(), 200);
  };
  const { asked, error } = await asking([later], (url) =>
    connect(url, "sk_test").GET("/payments", { signal: controller.signal }),
  );
  assert.ok(error instanceof DOMException);
  assert.equal(asked.length, 1);
  assert.ok(Date.now() - begun < 3_000);
});

test("a drain may take longer than any other call", async ({ mock }) => {
  const limits = mock.method(AbortSignal, "timeout").mock;
  const drain = (url: string) => result(connect(url, "sk_test").POST("/sandbox/drain", { body: { timeout: "30s" } }));
  await asking([says({ drained: true })], drain);
  await asking([says({})], authorize());
  assert.deepEqual(limits.calls.map((call) => call.arguments[0]), [40_000, 10_000]);
});
