import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PATHS } from "../../src/model/paths.ts";
import { snippet, type CallOf } from "../../src/model/snippets.ts";

const CALL: CallOf = { method: "POST", path: "/capture", body: { authorization_id: "pay_1", reference: "it's", final: true }, idempotencyKey: "key'1" };

test("curl gets each word whole, whatever is in it, and never the API key", () => {
  const written = snippet("curl", CALL, "http://127.0.0.1:8080");
  const words = execFileSync("sh", ["-c", `curl() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n${written}`], { env: { PAYGATE_API_KEY: "sk_1" } }).toString().trim().split("\n");
  assert.deepEqual(words, ["-sS", "http://127.0.0.1:8080/capture", "-H", "authorization: Bearer sk_1", "-H", "idempotency-key: key'1", "-H", "content-type: application/json", "-d", JSON.stringify(CALL.body)]);
});

test("Python's words for true and nothing are its own", () => {
  const written = snippet("Python", { ...CALL, body: { final: true, rest: null, list: [false] } }, "http://a");
  assert.match(written, /json=\{"final": True, "rest": None, "list": \[False\]\}/);
});

test("TypeScript is one that runs", () => {
  const written = snippet("TypeScript", CALL, "http://a");
  assert.doesNotThrow(() => new Function(`return async () => { ${written} }`));
});

test("every path is one of the API's, by its own method", () => {
  const { paths } = JSON.parse(readFileSync(new URL("../../../build/openapi.json", import.meta.url), "utf8"));
  for (const [rpc, { method, path }] of Object.entries(PATHS)) {
    const operation = paths[path]?.[method.toLowerCase()];
    assert.equal(operation?.operationId.toLowerCase(), rpc.toLowerCase(), rpc);
  }
});
