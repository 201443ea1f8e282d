/** What a call returns, what it throws, and under which key it is sent. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { answer, connect, Failure, newKey, result, under } from "../src/api/client.ts";
import { session } from "../src/api/session.ts";
import { KEY, refuses, says, serving, signedIn, type Answer } from "./gateway.ts";

const BODY = { authorization_id: "pay_1", amount: { minor_units: "100", currency: "GBP" } } as const;

beforeEach(() => signedIn());

async function failed(answerer: Answer): Promise<Failure> {
  let failure: unknown;
  await serving([answerer], async (url) => {
    failure = await result(connect(url).GET("/payments")).catch((error: unknown) => error);
  });
  assert.ok(failure instanceof Failure, String(failure));
  return failure;
}

test("a call returns what the gateway says, and whether it was said before", async () => {
  const stored = says({ payments: [] }, 200, { "idempotent-replayed": "true" });
  const asked = await serving([says({ payments: [] }), stored], async (url) => {
    assert.deepEqual(await result(connect(url).GET("/payments")), { payments: [] });
    const { requestId, replayed } = await answer(connect(url).GET("/payments"));
    assert.deepEqual([requestId, replayed], ["req_1", true]);
  });
  assert.equal(asked[0]?.headers.authorization, `Bearer ${KEY}`);
  assert.equal(asked[0]?.headers["idempotency-key"], undefined);
});

test("a caller repeats a call under its key, and a POST without one has one of its own", async () => {
  const key = newKey();
  const asked = await serving([says({})], async (url) => {
    const api = connect(url);
    for (let number = 0; number < 2; number++) await result(api.POST("/capture", { body: BODY, ...under(key) }));
    for (let number = 0; number < 2; number++) await result(api.POST("/capture", { body: BODY }));
  });
  const keys = asked.map(({ headers }) => headers["idempotency-key"]);
  assert.deepEqual(keys.slice(0, 2), [key, key]);
  assert.equal(new Set(keys).size, 3);
});

test("a refusal has the contract's words", async () => {
  const violations = [{ "@type": "y", field_violations: [{ field: "amount.currency", description: "is unknown", reason: "" }] }];
  const failure = await failed(refuses(400, "VALIDATION_FAILED", {}, violations));
  assert.deepEqual(
    [failure.reason, failure.message, failure.status, failure.requestId, failure.retryAfterSeconds],
    ["VALIDATION_FAILED", "Said so.", 400, "req_1", undefined],
  );
  assert.deepEqual(failure.fields.map(({ field, description }) => `${field} ${description}`), ["amount.currency is unknown"]);
  assert.equal((await failed(refuses(429, "RATE_LIMITED", { "retry-after": "3" }))).retryAfterSeconds, 3);
});

test("what is no answer of the gateway is a failure, too", async () => {
  assert.equal((await failed(says("<html>", 502))).reason, "UNEXPECTED_REPLY");
  assert.equal((await failed(says("{", 200))).reason, "UNEXPECTED_REPLY");
  assert.equal((await failed(says("", 302, { location: "http://127.0.0.1:1/" }))).reason, "CONNECTION_FAILED");
  const cut = await failed((reply) => void reply.socket?.destroy());
  assert.deepEqual([cut.reason, cut.status, cut.requestId], ["CONNECTION_FAILED", 0, ""]);
});

test("401 ends the session that was refused, and no other", async () => {
  await failed(refuses(403, "INSUFFICIENT_SCOPE"));
  assert.equal(session.value.state, "in");
  assert.equal((await failed(refuses(401, "INVALID_API_KEY"))).reason, "INVALID_API_KEY");
  assert.equal(session.value.state, "out");
  assert.match(session.value.word, /no longer accepts this key/);

  signedIn();
  const other = "sk_89ab_cdef";
  await failed((reply, request) => {
    signedIn(other);
    refuses(401, "INVALID_API_KEY")(reply, request);
  });
  assert.equal(session.value.key, other);
});

test("an id never leads to another path", async () => {
  for (const id of ["", ".", ".."]) {
    await assert.rejects(connect("http://127.0.0.1:1").GET("/payment/{id}", { params: { path: { id } } }), /An id is neither/);
  }
});

test("who has gone away gets the reason of that", async () => {
  await serving([() => {}], async (url, asked) => {
    const leaving = new AbortController();
    const call = result(connect(url).GET("/payments", { signal: leaving.signal }));
    while (!asked.length) await new Promise((resume) => setTimeout(resume, 5));
    leaving.abort(new Error("gone"));
    await assert.rejects(call, /gone/);
  });
});
