import assert from "node:assert/strict";
import { test } from "node:test";
import { decimalsOf, less, read, withCurrency, written } from "../../src/model/money.ts";

const of = (minor_units: string, currency: string) => ({ minor_units, currency });

test("an amount is written in its currency's own decimals", () => {
  assert.equal(written(of("123456789", "GBP")), "1,234,567.89");
  assert.equal(written(of("5", "GBP")), "0.05");
  assert.equal(written(of("1000", "JPY")), "1,000");
  assert.equal(written(of("1000", "KWD")), "1.000");
  assert.equal(written(of("12345", "CLF")), "1.2345");
  assert.equal(withCurrency(of("1000000000000", "GBP")), "10,000,000,000.00 GBP");
});

test("what is typed is read without floats, or told what is wrong", () => {
  assert.deepEqual(read("10", "GBP"), { amount: of("1000", "GBP") });
  assert.deepEqual(read(" 1,234.5 ", "GBP"), { amount: of("123450", "GBP") });
  assert.deepEqual(read("1 234 567", "GBP"), { amount: of("123456700", "GBP") });
  assert.deepEqual(read("1,234.567", "KWD"), { amount: of("1234567", "KWD") });
  assert.deepEqual(read("0.07", "GBP"), { amount: of("7", "GBP") });
  assert.deepEqual(read("4.10", "GBP"), { amount: of("410", "GBP") }); // 4.1 * 100 is 409.99… as a float
  assert.deepEqual(read("1000", "JPY"), { amount: of("1000", "JPY") });
  assert.deepEqual(read("10000000000", "GBP"), { amount: of("1000000000000", "GBP") });
  for (const [typed, currency] of [["", "GBP"], ["ten", "GBP"], ["-1", "GBP"], ["1.001", "GBP"], ["1.5", "JPY"], ["0", "GBP"], ["10000000000.01", "GBP"], ["1e3", "GBP"], ["10,50", "EUR"], ["1,5", "GBP"], ["10 50", "GBP"], ["1,00,000", "INR"], ["1.234,50", "EUR"], [",100", "GBP"], ["10.000", "GBP"], ["1.000", "JPY"], ["1.0000", "KWD"]] as const) {
    assert.ok("problem" in read(typed, currency), `${typed} ${currency}`);
  }
});

test("two currencies do not add up", () => {
  assert.throws(() => less(of("1", "GBP"), of("1", "EUR")));
  assert.equal(less(of("10", "GBP"), of("4", "GBP")).minor_units, "6");
});

test("a currency that is not known has two decimals", () => assert.equal(decimalsOf("ABC"), 2));
