import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, extended, refreshed, released, taken, type Feed } from "../../src/model/feed.ts";
import type { Payment } from "../../src/model/possible.ts";
import { payment } from "./payments.ts";

const of = (id: string, more: Partial<Payment> = {}) => payment("STATUS_AUTHORIZED", {}, { id, ...more });
const ids = (feed: Feed) => feed.items.map((one) => one.id);
const FREE = { held: false, wanted: true };
const HELD = { held: true, wanted: true };
const SHOWN: Feed = { ...EMPTY, items: [of("pay_3"), of("pay_2")] };

test("a new payment stands on top, and is new", () => {
  const now = taken(SHOWN, of("pay_4"), FREE);
  assert.deepEqual(ids(now), ["pay_4", "pay_3", "pay_2"]);
  assert.deepEqual([...now.fresh], ["pay_4"]);
});

test("under the pointer nothing moves: what comes waits until it is let in", () => {
  const now = taken(taken(SHOWN, of("pay_4"), HELD), of("pay_5"), HELD);
  assert.deepEqual(ids(now), ids(SHOWN));
  assert.equal(now.waiting.length, 2);
  assert.deepEqual(ids(released(now)), ["pay_5", "pay_4", "pay_3", "pay_2"]);
  assert.equal(released(now).waiting.length, 0);
});

test("a payment that is shown changes in its place, and never back to what it was before", () => {
  const later = of("pay_2", { status: "STATUS_CAPTURED", update_time: "2026-11-28T12:00:05Z" });
  const now = taken(taken(SHOWN, later, HELD), of("pay_2"), HELD);
  assert.deepEqual(ids(now), ids(SHOWN));
  assert.equal(now.items[1]?.status, "STATUS_CAPTURED");
});

test("what the filter does not want, or what belongs on a later page, is not shown", () => {
  assert.deepEqual(ids(taken(SHOWN, of("pay_4"), { held: false, wanted: false })), ids(SHOWN));
  assert.deepEqual(ids(taken(SHOWN, of("pay_1"), FREE)), ids(SHOWN));
});

test("what was missed is taken in from the newest page, each once", () => {
  const now = refreshed(SHOWN, [of("pay_5"), of("pay_4"), of("pay_3")], { held: false });
  assert.deepEqual(ids(now), ["pay_5", "pay_4", "pay_3", "pay_2"]);
});

test("the next page stands below, each payment once", () => {
  assert.deepEqual(ids(extended(SHOWN, [of("pay_2"), of("pay_1")])), ["pay_3", "pay_2", "pay_1"]);
});
