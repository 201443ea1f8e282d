import assert from "node:assert/strict";
import { test } from "node:test";
import { span, short } from "../../src/model/time.ts";
import { timelineOf, type Attempted, type Delivery, type DeliveryAttempt, type LoggedRequest } from "../../src/model/timeline.ts";
import { action, payment } from "./payments.ts";

const at = (time: string) => ({ create_time: `2026-11-28T${time}Z` });
const event = (id: string, time: string) => ({ id, type: "payment.authorized", sequence: "1", ...at(time), data: { payment: payment("STATUS_AUTHORIZED"), action: action("TYPE_AUTHORIZE", 1_000) } });

test("what happened is told in order, and of one time the cause goes first", () => {
  const moments = timelineOf({
    actions: [action("TYPE_AUTHORIZE", 1_000, { ...at("12:00:00.100"), id: "act_1" })],
    requests: [],
    turns: [],
    events: [event("evt_1", "12:00:00.100")],
    attempts: [],
  });
  assert.deepEqual(moments.map((one) => one.kind), ["action", "event"]);
});

test("time in which nothing happened is folded into one line", () => {
  const moments = timelineOf({
    actions: [action("TYPE_AUTHORIZE", 1_000, { ...at("08:00:00"), id: "act_1" }), action("TYPE_CAPTURE", 400, { ...at("11:00:00"), id: "act_2" }), action("TYPE_CAPTURE", 600, { ...at("11:00:30"), id: "act_3" })],
    requests: [], turns: [], events: [], attempts: [],
  });
  assert.deepEqual(moments.map((one) => one.kind), ["action", "gap", "action", "action"]);
  assert.equal(moments[1]?.kind === "gap" && span(moments[1].milliseconds), "3 h");
});

const request = (id: string, time: string, method: LoggedRequest["method"], reply: object, replayed = false) =>
  ({ id, ...at(time), method, replayed, reply }) as unknown as LoggedRequest;

test("requests stand where they belong by the sandbox's clock, though the log has the real time", () => {
  const moments = timelineOf({
    actions: [action("TYPE_AUTHORIZE", 1_000, { ...at("08:00:00"), id: "act_1" }), action("TYPE_CAPTURE", 400, { ...at("10:00:20"), id: "act_2" })],
    requests: [
      request("replay", "08:00:25", "Capture", { action: { id: "act_2" } }, true),
      request("capture", "08:00:20", "Capture", { action: { id: "act_2" } }),
      request("late", "08:00:12", "Capture", { code: 9 }),
      request("soon", "08:00:02", "Capture", { code: 3 }),
      request("authorize", "08:00:00", "Authorize", { action: { id: "act_1" } }),
    ],
    turns: [request("turn", "08:00:10", "AdvanceClock", { offset: "7200s" })],
    events: [], attempts: [],
  });
  assert.deepEqual(moments.map((one) => (one.kind === "request" ? one.key : one.kind)), ["authorize", "action", "soon", "gap", "late", "capture", "action", "replay"]);
});

test("a time is as short as it can be told from now", () => {
  const now = new Date(2026, 10, 28, 14, 0, 0);
  assert.match(short(new Date(2026, 10, 28, 13, 5, 9), now), /^13:05:09$/);
  assert.match(short(new Date(2026, 10, 27, 13, 5, 9), now), /27.*13:05:09$/);
  assert.match(short(new Date(2025, 10, 27, 13, 5, 9), now), /2025.*13:05:09$/);
  assert.deepEqual([420, 2_500, 61_000, 90_000_000].map(span), ["420 ms", "2.5 s", "1 min", "1 d"]);
});

test("what is sent after the endpoint has taken it was redelivered; a retry was not", () => {
  const delivery = (endpoint_id: string) => ({ event_id: "evt_1", endpoint_id }) as Delivery;
  const attempt = (number: number, status_code: number) => ({ number, status_code, ...at(`12:00:0${number}`) }) as DeliveryAttempt;
  const [one, other] = [delivery("we_1"), delivery("we_2")];
  const moments = timelineOf({
    actions: [], requests: [], turns: [], events: [],
    attempts: [[one, attempt(3, 200)], [one, attempt(2, 204)], [one, attempt(1, 500)], [other, attempt(4, 200)]].map(([delivery, attempt]) => ({ delivery, attempt }) as Attempted),
  });
  assert.deepEqual(moments.map((moment) => moment.kind === "delivery" && moment.isRepeat), [false, false, true, false]);
});
