/** What the console knows of webhooks is what the API says of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EVENT_TYPES, eventTypesByAbout, isInbox, toldIn, typesShown } from "../../src/model/hooks.ts";

const api = JSON.parse(readFileSync(new URL("../../../build/openapi.json", import.meta.url), "utf8"));

test("every type of event can be chosen, and none twice", () => {
  const { enum: types } = api.components.schemas.CreateWebhookEndpointRequest.properties.event_types.items;
  assert.deepEqual([...EVENT_TYPES].sort(), [...types].sort());
  assert.deepEqual(eventTypesByAbout().flatMap(([, some]) => some).sort(), [...types].sort());
});

test("no types are all of them", () => {
  assert.deepEqual([[], ["payment.voided"], ["a", "b"]].map(typesShown), ["All events", "payment.voided", "2 types"]);
});

test("a body is read as far as it is one of ours", () => {
  const body = '{"type":"payment.captured","data":{"payment":{"id":"pay_1"}}}';
  assert.deepEqual(toldIn(body), { type: "payment.captured", paymentId: "pay_1", value: JSON.parse(body) });
  assert.deepEqual(toldIn('{"type":"webhook.test"}'), { type: "webhook.test", paymentId: "", value: { type: "webhook.test" } });
  for (const odd of ["", "{", "null", "[]", '{"type":1,"data":{"payment":7}}']) {
    const { type, paymentId } = toldIn(odd);
    assert.deepEqual([type, paymentId], ["", ""], odd);
  }
});

test("the inbox is known by its host, however that is written", () => {
  for (const url of ["", "/", "/503"].flatMap((path) => [`https://inbox.paygate.test${path}`, `https://INBOX.paygate.test.:443${path}`])) {
    assert.equal(isInbox(url), true, url);
  }
  for (const url of ["", "https://inbox.paygate.test.example.com/", "https://inbox.paygate.test@example.com/", "https://inbox.paygate.test:8443/", "http://inbox.paygate.test/"]) {
    assert.equal(isInbox(url), false, url);
  }
});
