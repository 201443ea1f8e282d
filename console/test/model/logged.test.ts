/** Logged calls are told as REST has them, and only what is whole can be sent again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callOf, isPartial, withTestCard } from "../../src/model/logged.ts";
import type { LoggedRequest } from "../../src/model/timeline.ts";
import type { CallOf } from "../../src/model/snippets.ts";

const logged = (method: string, request: object = {}, more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  id: "1", create_time: "2026-11-28T12:00:00Z", method, service: "paygate.payments.v1.PaymentService", code: "OK", http_status: 200, reason: "",
  duration: "0.005s", idempotency_key: "", replayed: false, payment_id: "", key_id: "k", rest: true, request, ...more,
} as LoggedRequest);

test("a POST has its key and its body; ids go into the path", () => {
  assert.deepEqual(callOf(logged("Capture", { authorization_id: "pay_1" }, { idempotency_key: "k 1" })),
    { method: "POST", path: "/capture", body: { authorization_id: "pay_1" }, idempotencyKey: "k 1" });
  assert.deepEqual(callOf(logged("RedeliverEvent", { id: "evt_/1", endpoint_id: "we_1" })),
    { method: "POST", path: "/events/evt_%2F1/redeliver", body: { endpoint_id: "we_1" }, idempotencyKey: undefined });
});

test("a GET has the rest in its query", () => {
  assert.deepEqual(callOf(logged("GetPayment", { id: "pay_1", include_actions: true })), { method: "GET", path: "/payment/pay_1?include_actions=true" });
  assert.deepEqual(callOf(logged("ListPayments")), { method: "GET", path: "/payments" });
  assert.equal(callOf(logged("Unheard")), undefined);
});

test("types of events are a list in REST", () => {
  const body = (request: object) => callOf(logged("UpdateWebhookEndpoint", { id: "we_1", ...request }))?.body;
  assert.deepEqual(body({ event_types: { types: ["payment.voided"] } }), { event_types: ["payment.voided"] });
  assert.deepEqual(body({ event_types: {} }), { event_types: [] });
  assert.deepEqual(body({ description: "x" }), { description: "x" });
});

test("what the log does not hold is known to be missing", () => {
  const whole = logged("Capture", { authorization_id: "pay_1" }, { idempotency_key: "k" });
  assert.equal(isPartial(whole), false);
  for (const request of [{ card_token: "tok_••••ab12" }, { card_details: { pan: "••••4242" } }, { card_details: { expiry: {} } }, { omitted: "It has 9000 bytes" }]) {
    assert.equal(isPartial(logged("Authorize", request)), true, JSON.stringify(request));
  }
  assert.equal(isPartial({ ...whole, idempotency_key: "order ••••1234" }), true);
});

test("a card that was not kept is replaced by the public one, under no key of the first", () => {
  const authorize = logged("Authorize", { card_details: { pan: "••••4444" }, reference: "r" }, { idempotency_key: "k" });
  const { body, idempotencyKey } = withTestCard(callOf(authorize) as CallOf, authorize, new Date("2099-11-28T12:00:00Z"));
  const { pan, expiry } = body?.["card_details"] as { pan: string; expiry: { year: number } };
  assert.deepEqual([pan, body?.["reference"], idempotencyKey], ["4242424242424242", "r", undefined]);
  assert.ok(expiry.year >= 2099, "not past, however far the clock is ahead");
  const capture = logged("Capture", { authorization_id: "pay_1" }, { idempotency_key: "k" });
  assert.deepEqual(withTestCard(callOf(capture) as CallOf, capture, new Date()), callOf(capture));
});
