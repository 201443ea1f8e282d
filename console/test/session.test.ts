/** The code of a link leaves the address, and the rest of it stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { takeCode } from "../src/api/session.ts";

const LINKS: readonly [string, string, string][] = [
  ["", "", ""],
  ["#/payments", "", "#/payments"],
  ["#code=abc_-1", "abc_-1", ""],
  ["#/payments?code=abc", "abc", "#/payments"],
  ["#/payments?status=FAILED&code=abc", "abc", "#/payments?status=FAILED"],
  ["#/payments?code=abc&status=FAILED", "abc", "#/payments?status=FAILED"],
  ["#code=", "", ""],
  ["#/payments?barcode=1", "", "#/payments?barcode=1"],
];

for (const [fragment, code, rest] of LINKS) {
  test(`the code of ${fragment || "nothing"}`, () => assert.deepEqual(takeCode(fragment), { code, rest }));
}
