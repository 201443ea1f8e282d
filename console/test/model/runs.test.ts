/** Runs: each step once, under one key whatever fails, and none under another merchant's. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { refuses, says, serving, signedIn, type Answer, type Asked } from "../gateway.ts";

const amount = { minor_units: "1000", currency: "GBP" };
const payment = (status: string) => ({ id: "pay_1", status, update_time: new Date().toISOString(), actions: [] as object[] });
const did = (status: string, id = "act_1") => ({ action: { id, status }, payment: payment("STATUS_AUTHORIZED") });
const seen = (status: string) => ({ payment: { ...payment("STATUS_AUTHORIZED"), actions: [{ id: "act_1", status }] } });

beforeEach(() => signedIn());

type Runs = typeof import("../../src/model/runs.ts");

/** Begins "Authorize and capture" at a gateway that answers so, and uses what became of it. */
async function run(answers: readonly Answer[], use: (model: Runs, asked: Asked[]) => Promise<void>): Promise<Asked[]> {
  return serving(answers, async (url, asked) => {
    Object.assign(globalThis, { location: { origin: url } });
    const api = globalThis.fetch;
    // The console's client was made for the first gateway: each test has another port.
    globalThis.fetch = (call, init) => api(call instanceof Request ? new Request(call.url.replace(/^http:\/\/[^/]+/, url), call) : call, init);
    try {
      const [model, { SEQUENCES }] = await Promise.all([import("../../src/model/runs.ts"), import("../../src/model/sequences.ts")]);
      model.forget();
      model.start(SEQUENCES[0] as (typeof SEQUENCES)[number], amount, "");
      await use(model, asked);
      model.forget();
    } finally {
      globalThis.fetch = api;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < end, "it does not come to that");
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

const states = (model: Runs) => model.runs.value[0]?.steps.map((step) => step.state).join(" ");

test("steps follow one another, and one whose answer is open is waited for", async () => {
  const answers = [says(did("STATUS_PENDING")), refuses(503, "INTERNAL"), says(seen("STATUS_PENDING")), says(seen("STATUS_SUCCEEDED")), says(did("STATUS_SUCCEEDED", "act_2"))];
  const told: (string | undefined)[] = [];
  const asked = await run(answers, async (model) => {
    const end = model.runs.subscribe(() => { if (told.at(-1) !== states(model)) told.push(states(model)); });
    await until(() => states(model) === "done done");
    end();
  });
  assert.deepEqual(told, ["runs waits", "pending waits", "done waits", "done runs", "done done"]);
  assert.deepEqual(asked.map(({ method, url }) => `${method} ${url.split("?")[0]}`), ["POST /authorize", "GET /payment/pay_1", "GET /payment/pay_1", "GET /payment/pay_1", "POST /capture"]);
});

test("a failure stops it, and it goes on under the same key", async () => {
  const answers = [says(did("STATUS_SUCCEEDED")), refuses(503, "DEPENDENCY_UNAVAILABLE"), says(did("STATUS_SUCCEEDED", "act_2"))];
  const asked = await run(answers, async (model) => {
    await until(() => states(model) === "done stopped");
    assert.equal(model.runs.value[0]?.steps[1]?.failure?.reason, "DEPENDENCY_UNAVAILABLE");
    model.carryOnFrom(model.runs.value[0].id, 1);
    await until(() => states(model) === "done done");
    assert.equal(model.runs.value[0]?.steps[1]?.failure, undefined);
  });
  const [authorize, first, second] = asked.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(first, second);
  assert.notEqual(authorize, first);
});

test("a decline stops it: what comes after is not asked for", async () => {
  const asked = await run([says(did("STATUS_DECLINED"))], (model) => until(() => states(model) === "stopped waits"));
  assert.equal(asked.length, 1);
});

test("another key forgets it, and carries none of it on", async () => {
  const switches: Answer = (reply, request) => {
    signedIn("sk_89ab_cdef");
    says(did("STATUS_SUCCEEDED"))(reply, request);
  };
  const asked = await run([switches], async (model) => {
    await until(() => model.runs.value.length === 0);
    await new Promise((resume) => setTimeout(resume, 50));
  });
  assert.deepEqual(asked.map(({ url }) => url), ["/authorize"]);
});

test("the last ten are kept", async () => {
  await run([says(did("STATUS_SUCCEEDED"))], async (model) => {
    const { SEQUENCES } = await import("../../src/model/sequences.ts");
    const done = () => model.runs.value.every(({ steps }) => steps.every((step) => step.state === "done"));
    for (let number = 0; number < 11; number++) {
      await until(done); // the same is not begun twice at once
      model.start(SEQUENCES[0] as (typeof SEQUENCES)[number], amount, "");
    }
    assert.equal(model.runs.value.length, 10);
    await until(done);
  });
});

test("a look tells how its payment is now, and one that a reset has removed goes", async () => {
  const later = { payment: { ...payment("STATUS_EXPIRED"), update_time: new Date(Date.now() + 60_000).toISOString() } };
  await run([says(did("STATUS_SUCCEEDED")), says(did("STATUS_SUCCEEDED", "act_2")), says(later), refuses(503, "INTERNAL"), refuses(404, "PAYMENT_NOT_FOUND")], async (model) => {
    await until(() => states(model) === "done done");
    await model.look();
    assert.equal(model.runs.value[0]?.payment?.status, "STATUS_EXPIRED");
    await model.look();
    assert.equal(model.runs.value.length, 1);
    await model.look();
    assert.equal(model.runs.value.length, 0);
  });
});
