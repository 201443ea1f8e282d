import assert from "node:assert/strict";
import { test } from "node:test";
import { partOf, sharesOf } from "../../src/model/bar.ts";
import { isRemainder, possible, type Payment, type Verb } from "../../src/model/possible.ts";
import { NOW, action, payment } from "./payments.ts";

const reasonOf = (verb: Verb, one: Payment, now = NOW): string => {
  const can = possible(verb, one, now);
  return "refused" in can ? can.refused.reason : `most ${can.most.minor_units}`;
};

const AUTHORIZED = payment("STATUS_AUTHORIZED", { capturable: 1_000 });
const PARTLY = payment("STATUS_PARTIALLY_CAPTURED", { captured: 400, capturable: 600, refundable: 400 });
const CAPTURED = payment("STATUS_CAPTURED", { captured: 1_000, refundable: 1_000 });
const REFUNDED_PARTLY = payment("STATUS_PARTIALLY_REFUNDED", { captured: 1_000, refunded: 300, refundable: 700 });
const LATE = new Date("2026-12-05T12:00:00Z");

// By status: what capture, void and refund say.
const TABLE: readonly (readonly [Payment, string, string, string])[] = [
  [payment("STATUS_PENDING"), "ACTION_PENDING", "ACTION_PENDING", "ACTION_PENDING"],
  [payment("STATUS_DECLINED"), "PAYMENT_DECLINED", "PAYMENT_DECLINED", "PAYMENT_DECLINED"],
  [payment("STATUS_FAILED"), "PAYMENT_FAILED", "PAYMENT_FAILED", "PAYMENT_FAILED"],
  [payment("STATUS_VOIDED"), "PAYMENT_VOIDED", "PAYMENT_VOIDED", "PAYMENT_VOIDED"],
  [payment("STATUS_EXPIRED"), "PAYMENT_EXPIRED", "PAYMENT_EXPIRED", "PAYMENT_EXPIRED"],
  [AUTHORIZED, "most 1000", "most 1000", "NOT_CAPTURED"],
  [PARTLY, "most 600", "most 600", "most 400"],
  [CAPTURED, "AMOUNT_EXCEEDS_CAPTURABLE", "PAYMENT_CAPTURED", "most 1000"],
  [REFUNDED_PARTLY, "PAYMENT_REFUNDED", "PAYMENT_REFUNDED", "most 700"],
  [payment("STATUS_REFUNDED", { captured: 1_000, refunded: 1_000 }), "PAYMENT_REFUNDED", "PAYMENT_REFUNDED", "AMOUNT_EXCEEDS_REFUNDABLE"],
];

for (const [one, capture, voided, refund] of TABLE) {
  test(`what is possible: ${one.status}`, () => {
    assert.deepEqual([reasonOf("capture", one), reasonOf("void", one), reasonOf("refund", one)], [capture, voided, refund]);
  });
}

test("after its time an authorization is neither captured nor voided, and what was captured is refunded", () => {
  assert.equal(reasonOf("capture", AUTHORIZED, LATE), "PAYMENT_EXPIRED");
  assert.equal(reasonOf("void", AUTHORIZED, LATE), "PAYMENT_EXPIRED");
  assert.equal(reasonOf("capture", CAPTURED, LATE), "PAYMENT_EXPIRED"); // as the gateway says, whatever was captured
  assert.equal(reasonOf("refund", PARTLY, LATE), "most 400");
});

test("while a capture is under way nothing is voided or refunded", () => {
  const busy = payment("STATUS_PARTIALLY_CAPTURED", { captured: 400, capturable: 200, refundable: 400 }, { actions: [action("TYPE_CAPTURE", 400, { status: "STATUS_PENDING" })] });
  assert.deepEqual([reasonOf("capture", busy), reasonOf("void", busy), reasonOf("refund", busy)], ["most 200", "ACTION_PENDING", "ACTION_PENDING"]);
});

test("a void of what was captured in part releases the remainder", () => {
  assert.equal(isRemainder(AUTHORIZED), false);
  assert.equal(isRemainder(PARTLY), true);
});

test("the shares of a bar are all of what was authorized", () => {
  const busy = payment("STATUS_PARTIALLY_CAPTURED", { captured: 400, capturable: 200 }, { actions: [action("TYPE_CAPTURE", 250, { status: "STATUS_PENDING" })] });
  const { captured, underWay, capturable, released } = sharesOf(busy);
  assert.deepEqual([captured, underWay, capturable, released].map((one) => one.minor_units), ["400", "250", "200", "150"]);
  assert.equal(sharesOf(payment("STATUS_PENDING")).underWay.minor_units, "1000");
  assert.equal(partOf(captured, busy.authorized), 0.4);
});
