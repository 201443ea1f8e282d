/** Test cards: each is in one group, and can be tried. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brandOf, detailsOf, groupsOf, showing, writtenPan, type TestCard } from "../../src/model/cards.ts";

const card = (description: string, pan = "4000000000000002"): TestCard => ({ pan, description });
const NOW = new Date("2026-11-28T12:00:00Z");

test("cards stand in groups by what is tested with them, and none is left out", () => {
  const cards = [
    card("Approved."), card("Declined: LOST_CARD."), card("Refused for good, by an error of the bank: FAILED."),
    card("Approved; a void is declined: VOID_REJECTED."), card("Approved, the reply is lost: PENDING, then AUTHORIZED."),
    card("Every call takes 2 s, then succeeds."), card("Something that is new."),
  ];
  const groups = groupsOf(cards);
  assert.deepEqual(groups.map(({ title, cards: some }) => [title, some.length]), [["Approved", 1], ["Declined", 2], ["Declined later", 1], ["Lost or slow", 3]]);
  assert.deepEqual(groupsOf([card("Approved.")]).map(({ title }) => title), ["Approved"]);
});

test("the calls that show what a card does", () => {
  assert.deepEqual(showing(card("Approved; every capture is declined: CAPTURE_REJECTED.")), ["authorize", "capture"]);
  assert.deepEqual(showing(card("A refund's reply is lost: PENDING, then SUCCEEDED.")), ["authorize", "capture", "refund"]);
  assert.deepEqual(showing(card("A void's reply is lost: PENDING, then SUCCEEDED.")), ["authorize", "void"]);
  assert.deepEqual(showing(card("Declined: LOST_CARD.")), ["authorize"]);
});

test("a number stands as on its card", () => {
  assert.equal(writtenPan("4242424242424242"), "4242 4242 4242 4242");
  assert.equal(writtenPan("378282246310005"), "3782 822463 10005");
  assert.deepEqual(["4242", "5555", "2223", "3782", "6011", "3566", "6200", "9"].map(brandOf),
    ["Visa", "Mastercard", "Mastercard", "American Express", "Discover", "JCB", "UnionPay", ""]);
});

test("what the bank wants besides is right by the sandbox's clock", () => {
  assert.deepEqual(detailsOf("4242424242424242", NOW), { pan: "4242424242424242", expiry: { month: 12, year: 2030 }, cvv: "123" });
  assert.equal(detailsOf("378282246310005", NOW).cvv.length, 4);
});
