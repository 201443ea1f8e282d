/** Health: whatever is down is named, with what that means and what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf, partsOf, summaryOf, type Answer, type Answers } from "../../src/model/health.ts";

const SILENT: Answer = { status: 0, said: {} };
const serving = (dependencies: Record<string, string>, status = "SERVING", http = 200): Answer => ({ status: http, said: { status, dependencies } });
const WELL: Answers = {
  "/health": serving({ database: "UP", acquirer: "UP", vault: "UP" }),
  "/health/webhooks": serving({ database: "UP" }),
  "/health/ready": { status: 200, said: { status: "SERVING" } },
  "/health/live": { status: 200, said: { status: "ALIVE" } },
};
const words = (answer: Answer) => partsOf("/health", answer).map(({ name, shown }) => `${name}: ${shown.word}`);

test("all is well, and nothing is to be done", () => {
  const groups = groupsOf(WELL);
  assert.equal(summaryOf(groups).word, "All is well");
  assert.deepEqual(groups.map(({ parts }) => parts.length), [4, 2, 2]);
  assert.ok(groups.every(({ parts }) => parts.every(({ means, todo }) => means && !todo)));
});

test("a part that is down degrades the whole", () => {
  const answer = serving({ database: "UP", acquirer: "DOWN", vault: "UP" }, "DEGRADED");
  assert.deepEqual(words(answer), ["Gateway: Degraded", "Database: Up", "Bank: Down", "Card vault: Up"]);
  const bank = partsOf("/health", answer)[2];
  assert.match(bank?.means ?? "", /No new payments or actions/);
  assert.match(bank?.todo ?? "", /acquirer\.log/);
  const summary = summaryOf(groupsOf({ ...WELL, "/health": answer }));
  assert.equal(summary.tone, "bad");
  assert.match(summary.text, /^Bank\. /);
});

test("without workers, Envoy says so itself", () => {
  assert.deepEqual(words({ status: 503, said: { payments: "DOWN" } }), ["Gateway: Down", "Payments workers: Down"]);
  assert.deepEqual(words(serving({ database: "DOWN" }, "NOT_SERVING", 503)), ["Gateway: Down", "Database: Down"]);
});

test("a part with a new name is shown, too", () => {
  const [, part] = partsOf("/health", serving({ cache: "DOWN" }, "DEGRADED"));
  assert.deepEqual([part?.name, part?.shown.word, part?.todo], ["cache", "Down", undefined]);
});

test("no answer, and one that asks to wait, are not taken for health", () => {
  const silent = groupsOf({ "/health": SILENT, "/health/webhooks": SILENT, "/health/ready": SILENT, "/health/live": SILENT });
  assert.match(summaryOf(silent).text, /does not answer/);
  assert.deepEqual(words({ status: 429, said: {} }), ["Gateway: Not known"]);
});
