import assert from "node:assert/strict";
import { test } from "node:test";
import { span, short } from "../../src/model/time.ts";
import { timelineOf, type LoggedRequest } from "../../src/model/timeline.ts";
import { action, payment } from "./payments.ts";

const at = (time: string) => ({ create_time: `2026-11-28T${time}Z` });
const event = (id: string, time: string) => ({ id, type: "payment.authorized", sequence: "1", ...at(time), data: { payment: payment("STATUS_AUTHORIZED"), action: action("TYPE_AUTHORIZE", 1_000) } });

test("what happened is told in order, and of one time the cause goes first", () => {
  const moments = timelineOf({
    actions: [action("TYPE_AUTHORIZE", 1_000, { ...at("12:00:00.100"), id: "act_1" })],
    requests: [],
    events: [event("evt_1", "12:00:00.100")],
    attempts: [],
  });
  assert.deepEqual(moments.map((one) => one.kind), ["action", "event"]);
});

test("time in which nothing happened is folded into one line", () => {
  const moments = timelineOf({
    actions: [action("TYPE_AUTHORIZE", 1_000, { ...at("08:00:00"), id: "act_1" }), action("TYPE_CAPTURE", 400, { ...at("11:00:00"), id: "act_2" }), action("TYPE_CAPTURE", 600, { ...at("11:00:30"), id: "act_3" })],
    requests: [], events: [], attempts: [],
  });
  assert.deepEqual(moments.map((one) => one.kind), ["action", "gap", "action", "action"]);
  assert.equal(moments[1]?.kind === "gap" && span(moments[1].milliseconds), "3 h");
});

test("a time is as short as it can be told from now", () => {
  const now = new Date(2026, 10, 28, 14, 0, 0);
  assert.match(short(new Date(2026, 10, 28, 13, 5, 9), now), /^13:05:09$/);
  assert.match(short(new Date(2026, 10, 27, 13, 5, 9), now), /27.*13:05:09$/);
  assert.match(short(new Date(2025, 10, 27, 13, 5, 9), now), /2025.*13:05:09$/);
  assert.deepEqual([420, 2_500, 61_000, 90_000_000].map(span), ["420 ms", "2.5 s", "1 min", "1 d"]);
});

test("requests stand where the sandbox's clock was, though the log has real times", () => {
  const request = (id: string, time: string, action?: string, replayed = false) =>
    ({ id, ...at(time), replayed, ...(action && { reply: { action: at(action) } }) }) as unknown as LoggedRequest;
  const moments = timelineOf({
    actions: [action("TYPE_AUTHORIZE", 1_000, { ...at("08:00:00.010"), id: "act_1" }), action("TYPE_CAPTURE", 400, { ...at("11:00:00.010"), id: "act_2" })],
    requests: [ // newest first; the clock was turned by three hours after the first
      request("4 refused", "08:00:20"), request("3 replayed", "08:00:15", "08:00:00.010", true),
      request("2 captured", "08:00:10", "11:00:00.010"), request("1 authorized", "08:00:00", "08:00:00.010"),
    ],
    events: [], attempts: [],
  });
  assert.deepEqual(moments.map((one) => one.key), ["1 authorized", "act_1", "gap 2 captured", "2 captured", "act_2", "3 replayed", "4 refused"]);
  assert.equal(moments[0]?.at, "2026-11-28T08:00:00Z", "as it was told, where the clock is right");
});
