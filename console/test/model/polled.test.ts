/** Lists that are asked for again and again stay in order, lose nothing, and do not move under the pointer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ITEMS_MAX, begun, changed, extended, polled, released, type PageOfList, type Polled } from "../../src/model/polled.ts";

interface Item { id: string; status?: string }
const keyOf = (item: Item) => item.id;
const page = (ids: string, next = ""): PageOfList<Item> => ({ items: ids.split(" ").filter(Boolean).map((id) => ({ id })), next });
const ids = (list: Polled<Item>) => list.items.map(keyOf).join(" ");
const waiting = (list: Polled<Item>) => list.waiting.map(keyOf).join(" ");
const FREE = { keyOf, held: false };
const HELD = { keyOf, held: true };

test("what is new comes on top, in the order of the page, and is fresh", () => {
  const list = polled(begun(page("3 2 1")), page("5 4 3 2 1"), FREE);
  assert.equal(ids(list), "5 4 3 2 1");
  assert.deepEqual([...list.fresh], ["5", "4"]);
});

test("what was written late stands where it belongs", () => {
  assert.equal(ids(polled(begun(page("4 2 1")), page("4 3 2 1"), FREE)), "4 3 2 1");
});

test("under the pointer nothing moves: it waits, changes in its place, and comes in order", () => {
  const first = polled(begun(page("3 2", "a")), { items: [{ id: "4" }, { id: "3", status: "done" }], next: "b" }, HELD);
  assert.equal(ids(first), "3 2");
  assert.equal(first.items[0]?.status, "done");
  const second = polled(first, page("5 4", "c"), HELD);
  assert.equal(waiting(second), "5 4");
  const shown = released(second);
  assert.deepEqual([ids(shown), waiting(shown), shown.more], ["5 4 3 2", "", "a"]);
  assert.equal(ids(polled(second, page("5 4", "c"), FREE)), "5 4 3 2", "the next page shows it, too");
});

test("what is gone goes, but what is on later pages stays", () => {
  const list = extended(begun(page("5 4 3", "a")), page("2 1", "b"), keyOf);
  const now = polled(list, page("5 3 2", "c"), FREE);
  assert.deepEqual([ids(now), now.more], ["5 3 2 1", "b"]);
  assert.equal(ids(polled(now, page(""), FREE)), "", "an empty page without a next is all there is");
});

test("where more came than one page holds, nothing is missing in between: the list begins anew", () => {
  const list = begun(page("2 1"));
  const now = polled(list, page("9 8", "below 8"), FREE);
  assert.deepEqual([ids(now), now.more], ["9 8", "below 8"]);
  const held = polled(polled(list, page("9 8", "below 8"), HELD), page("10 9", "below 9"), HELD);
  assert.deepEqual([ids(held), waiting(held)], ["2 1", "10 9 8"]);
  const shown = released(held);
  assert.deepEqual([ids(shown), shown.more], ["10 9 8", "below 8"]);
  assert.equal(ids(polled(shown, page("10 9", "below 9"), FREE)), "10 9 8", "and then goes on as any other");
});

test("the next page goes below, without what is known", () => {
  const list = extended(begun(page("3 2", "a")), page("2 1"), keyOf);
  assert.deepEqual([ids(list), list.more], ["3 2 1", ""]);
});

test("a long list begins anew, so that a page that stays open for days does not fill the memory", () => {
  const many = { items: Array.from({ length: ITEMS_MAX + 1 }, (_, index) => ({ id: `x${index}` })), next: "a" };
  assert.equal(ids(polled(begun(many), page("new x0", "b"), FREE)), "new x0");
});

test("an item that a reply tells of changes in its place", () => {
  assert.equal(changed(begun(page("2 1")), { id: "1", status: "again" }, keyOf).items[1]?.status, "again");
});
