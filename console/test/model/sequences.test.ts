/** Sequences: the parts are the whole, calls are what they say, and nothing goes on after a failure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SEQUENCES, asCode, callOf, halves, knowing, nextOf, stateOf, stepped, type Run, type Step } from "../../src/model/sequences.ts";
import { snippet } from "../../src/model/snippets.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const amount = (minor_units: string, currency = "GBP") => ({ minor_units, currency });

function runOf(title: string, whole = amount("1001")): Run {
  const sequence = SEQUENCES.find((one) => one.title === title);
  assert.ok(sequence);
  const steps = sequence.plans(whole).map((plan, index): Step => ({ ...plan, key: `key-${index}`, state: "waits" }));
  return { id: "run", of: "sequence", title, pan: sequence.pan, amount: whole, reference: "order-1", begun: NOW, steps, payment: { id: "pay_1", update_time: "2026-11-28T12:00:00Z" } as Run["payment"] };
}

test("two parts are the whole, to the minor unit", () => {
  for (const minor of ["2", "3", "1001", "1000000000000"]) {
    const [first, second] = halves(amount(minor, "JPY"));
    assert.equal(BigInt(first.minor_units) + BigInt(second.minor_units), BigInt(minor));
    assert.ok(BigInt(first.minor_units) > 0n);
    assert.equal(second.currency, "JPY");
  }
});

test("a sequence's calls are those that it names", () => {
  const run = runOf("Capture in two parts, refund one");
  const calls = run.steps.map((step) => callOf(run, step, NOW));
  assert.deepEqual(calls.map(({ path }) => path), ["/authorize", "/capture", "/capture", "/refund"]);
  assert.deepEqual(calls.map(({ body }) => ("amount" in body ? body.amount?.minor_units : "")), ["1001", "500", "501", "501"]);
  assert.equal((calls[0]?.body as { reference: string }).reference, "order-1");
  assert.deepEqual(calls.slice(1).map(({ body }) => "authorization_id" in body && body.authorization_id), ["pay_1", "pay_1", "pay_1"]);
});

test("a void after a capture is one of the remainder, else one of all", () => {
  const voids = ["Capture part, void the rest", "Authorize and void"].map((title) => {
    const run = runOf(title);
    return run.steps.map((step) => callOf(run, step, NOW)).at(-1)?.body;
  });
  assert.deepEqual(voids, [{ authorization_id: "pay_1", remainder: true }, { authorization_id: "pay_1" }]);
});

test("nothing goes on after a step that stopped, or while one is under way", () => {
  const run = runOf("Authorize and capture");
  assert.equal(nextOf(run), 0);
  for (const state of ["runs", "pending", "stopped"] as const) assert.equal(nextOf(stepped(run, 0, { state })), undefined);
  const half = stepped(run, 0, { state: "done" });
  assert.equal(nextOf(half), 1);
  assert.equal(nextOf(stepped(half, 1, { state: "done" })), undefined);
});

test("only success goes on; an answer that is open is waited for", () => {
  const states = (["STATUS_SUCCEEDED", "STATUS_PENDING", "STATUS_DECLINED", "STATUS_FAILED"] as const).map((status) => stateOf({ status } as Parameters<typeof stateOf>[0]));
  assert.deepEqual(states, ["done", "pending", "stopped", "stopped"]);
});

test("an event that comes late does not turn a payment back", () => {
  const run = runOf("Authorize and capture");
  const at = (update_time: string) => ({ id: "pay_1", update_time }) as NonNullable<Run["payment"]>;
  assert.equal(knowing(run, at("2026-11-28T11:59:59Z")), run);
  assert.equal(knowing(run, at("2026-11-28T12:00:01Z")).payment?.update_time, "2026-11-28T12:00:01Z");
});

test("a step as curl is the call itself, without the API key", () => {
  const run = runOf("Reply lost, then capture");
  const text = snippet("curl", asCode(run, run.steps[0] as Step, NOW), "http://127.0.0.1:8080");
  assert.match(text, /http:\/\/127\.0\.0\.1:8080\/authorize/);
  assert.match(text, /"pan":"4000000000001026"/);
  assert.match(text, /idempotency-key: key-0/);
  assert.match(text, /\$PAYGATE_API_KEY/);
});
