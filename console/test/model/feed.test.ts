import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, ITEMS_MAX, changed, extended, gone, reaches, refreshed, released, taken, without, type Feed } from "../../src/model/feed.ts";
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

test("a page of the newest that does not reach what is shown leaves a hole, and says so", () => {
  assert.equal(reaches(SHOWN, [of("pay_5"), of("pay_4")]), false);
  assert.equal(reaches(SHOWN, [of("pay_4"), of("pay_3")]), true);
  assert.equal(reaches(EMPTY, [of("pay_5")]), true);
});

test("a payment that is known changes; one that is not is not taken in", () => {
  assert.deepEqual(ids(changed(SHOWN, of("pay_9"))), ids(SHOWN));
  assert.equal(changed(SHOWN, of("pay_3", { status: "STATUS_VOIDED" })).items[0]?.status, "STATUS_VOIDED");
});

test("what tells nothing new leaves the feed the very same, so that nothing is drawn again", () => {
  assert.equal(refreshed(SHOWN, [of("pay_3"), of("pay_2")], { held: false }), SHOWN);
  assert.equal(changed(SHOWN, of("pay_9")), SHOWN);
  assert.equal(taken(SHOWN, of("pay_3", { update_time: "2026-11-28T11:00:00Z", status: "STATUS_PENDING" }), FREE), SHOWN);
  assert.equal(changed(SHOWN, of("pay_2", { status: "STATUS_VOIDED" })).items[0], SHOWN.items[0]);
});

test("what is shown and what waits have an end", () => {
  const many = Array.from({ length: ITEMS_MAX }, (_, index) => of(`pay_${String(2 * ITEMS_MAX - index)}`));
  assert.equal(extended({ ...EMPTY, items: many }, [of("pay_1")]).items.length, ITEMS_MAX);
  assert.equal(taken({ ...EMPTY, items: many }, of("pay_3"), FREE).items.length, ITEMS_MAX);
});

test("what the newest page should hold and does not is gone; what came meanwhile, or stands further down, stays", () => {
  const known = [of("pay_4"), of("pay_3"), of("pay_1")];
  assert.deepEqual([...gone(known, [of("pay_4"), of("pay_2")], { isAll: false })], ["pay_3"]);
  assert.deepEqual([...gone(known, [of("pay_4"), of("pay_2")], { isAll: true })], ["pay_3", "pay_1"]);
  assert.deepEqual([...gone(known, [], { isAll: true })], ["pay_4", "pay_3", "pay_1"]);
  const now = without({ ...SHOWN, waiting: [of("pay_5"), of("pay_4")], fresh: new Set(["pay_4"]) }, new Set(["pay_4", "pay_2"]));
  assert.deepEqual([ids(now), now.waiting.map((one) => one.id), now.fresh.size], [["pay_3"], ["pay_5"], 0]);
});
