import assert from "node:assert/strict";
import { test } from "node:test";
import { nearby } from "../../src/model/nearby.ts";

const PAGE = { pixels: 900, height: 40, count: 5_000 };

test("what is seen is drawn, and some beyond each edge", () => {
  for (const above of [0, 1, 399, 40_000, 199_100, 500_000, -300]) {
    const { from, to } = nearby({ ...PAGE, above });
    const first = Math.floor(above / 40);
    assert.ok(from <= Math.max(0, Math.min(first, 4_999)) && to >= Math.min(5_000, first + 23), `${above}: ${from} to ${to}`);
    assert.ok(to - from <= 90 && from >= 0 && to <= 5_000);
  }
});

test("what is drawn changes once in some rows, not with each", () => {
  assert.deepEqual(nearby({ ...PAGE, above: 40_000 }), nearby({ ...PAGE, above: 40_019 }));
  assert.deepEqual(nearby({ ...PAGE, count: 0, above: 0 }), { from: 0, to: 0 });
});
