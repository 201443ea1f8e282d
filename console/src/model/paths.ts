/** Where each RPC is in REST. A test compares it with the API's description. */
import type { CallOf } from "./snippets.ts";

export interface Path {
  method: CallOf["method"];
  path: string;
}

const at = (method: CallOf["method"], path: string): Path => ({ method, path });

export const PATHS: Readonly<Record<string, Path>> = {
  Authorize: at("POST", "/authorize"),
  Capture: at("POST", "/capture"),
  Void: at("POST", "/void"),
  Refund: at("POST", "/refund"),
  GetPayment: at("GET", "/payment/{id}"),
  ListPayments: at("GET", "/payments"),
  ListPaymentActions: at("GET", "/payment/{id}/actions"),
  DeleteCard: at("DELETE", "/cards/{token}"),
  GetClock: at("GET", "/sandbox/clock"),
  AdvanceClock: at("POST", "/sandbox/clock/advance"),
  Drain: at("POST", "/sandbox/drain"),
  Reset: at("POST", "/sandbox/reset"),
  ListDue: at("GET", "/sandbox/due"),
  ListTestCards: at("GET", "/sandbox/test-cards"),
  ListInbox: at("GET", "/sandbox/inbox"),
  ListRequests: at("GET", "/sandbox/requests"),
  GetRequest: at("GET", "/sandbox/requests/{id}"),
  CreateWebhookEndpoint: at("POST", "/webhook-endpoints"),
  GetWebhookEndpoint: at("GET", "/webhook-endpoints/{id}"),
  ListWebhookEndpoints: at("GET", "/webhook-endpoints"),
  UpdateWebhookEndpoint: at("PATCH", "/webhook-endpoints/{id}"),
  DeleteWebhookEndpoint: at("DELETE", "/webhook-endpoints/{id}"),
  RotateWebhookSecret: at("POST", "/webhook-endpoints/{id}/rotate-secret"),
  RedeliverFailedEvents: at("POST", "/webhook-endpoints/{id}/redeliver-failed"),
  SendTestEvent: at("POST", "/webhook-endpoints/{id}/test"),
  ListEndpointDeliveries: at("GET", "/webhook-endpoints/{id}/deliveries"),
  ListEvents: at("GET", "/events"),
  GetEvent: at("GET", "/events/{id}"),
  ListDeliveries: at("GET", "/events/{id}/deliveries"),
  ListDeliveryAttempts: at("GET", "/events/{id}/deliveries/{endpoint_id}/attempts"),
  RedeliverEvent: at("POST", "/events/{id}/redeliver"),
};
