/** The clock: how far it is turned, and what a drain has left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { far, leftOf, secondsOf, secondsPast, whyNotTo } from "../../src/model/due.ts";

test("what was typed is so many seconds, or says what is wrong", () => {
  assert.deepEqual(secondsOf("36", "hours"), { seconds: 129_600 });
  assert.deepEqual(secondsOf(" 1.5 ", "minutes"), { seconds: 90 });
  assert.deepEqual(secondsOf("400", "days"), { seconds: 34_560_000 });
  for (const [typed, unit, word] of [["", "days", /number/], ["-1", "days", /number/], ["0", "hours", /At least/], ["401", "days", /At most/], ["1e9", "days", /number/]] as const) {
    const { problem = "" } = secondsOf(typed, unit) as { problem?: string };
    assert.match(problem, word);
  }
});

test("turning to what is due brings it past it, and always forward", () => {
  const now = new Date("2026-11-28T12:00:00.400Z");
  assert.equal(secondsPast(new Date("2026-11-28T12:00:10Z"), now), 11);
  assert.equal(secondsPast(new Date("2026-11-28T11:00:00Z"), now), 1);
});

test("what goes by the real time, or is too far, is not turned to", () => {
  const now = new Date("2026-11-28T12:00:00Z");
  const due = (kind: Parameters<typeof whyNotTo>[0]["kind"], due_time: string) => ({ kind, due_time, payment_id: "pay_1", event_id: "", endpoint_id: "" });
  assert.match(whyNotTo(due("KIND_ACTION_RETRIED", "2026-11-28T12:00:05Z"), now) ?? "", /real time/);
  assert.match(whyNotTo(due("KIND_PAYMENT_EXPIRES", "2028-11-28T12:00:05Z"), now) ?? "", /400 days/);
  assert.equal(whyNotTo(due("KIND_DELIVERY_RETRIED", "2026-11-28T12:00:05Z"), now), undefined);
});

test("what is left is said in words, and nothing of what is not", () => {
  assert.deepEqual(leftOf({ pending_actions: 1, due_expiries: 0, pending_events: 2, due_deliveries: 0 }),
    ["1 action without the bank's answer", "2 events that no relay has taken"]);
  assert.deepEqual(leftOf({ pending_actions: 0, due_expiries: 0, pending_events: 0, due_deliveries: 0 }), []);
});

test("how far is told in its two largest units", () => {
  assert.deepEqual([0, 1_000, 604_801_000, 90_000, 8_130_000].map(far), ["0 s", "1 s", "7 days 1 s", "1 min 30 s", "2 h 15 min"]);
});
