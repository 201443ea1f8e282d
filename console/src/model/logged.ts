/** Calls of the request log: as one of REST, and what can be told of them. */
import { APPROVED_PAN, detailsOf } from "./cards.ts";
import { PATHS } from "./paths.ts";
import type { CallOf } from "./snippets.ts";
import type { LoggedRequest } from "./timeline.ts";

type Fields = Record<string, unknown>;

/** Returns a logged call as one of REST, if it is one of the paths that are known here. */
export function callOf(request: LoggedRequest): CallOf | undefined {
  const known = PATHS[request.method];
  if (!known) return undefined;
  const sent = asRest(request.request as Fields | undefined);
  const path = known.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(sent[name] ?? "");
    delete sent[name];
    return encodeURIComponent(value);
  });
  if (known.method === "GET" || known.method === "DELETE") {
    const query = new URLSearchParams(Object.entries(sent).map(([name, value]) => [name, String(value)]));
    return { method: known.method, path: query.size ? `${path}?${query}` : path };
  }
  return { method: known.method, path, body: sent, idempotencyKey: request.idempotency_key || undefined };
}

/** The log has fields as gRPC has them; REST has one of them as a list. */
function asRest(request: Fields = {}): Fields {
  const types = request["event_types"];
  return types && !Array.isArray(types) ? { ...request, event_types: (types as Fields)["types"] ?? [] } : { ...request };
}

/** Whether the log did not keep a card that was sent by its number. */
export const hasCard = ({ request }: LoggedRequest): boolean => Boolean((request as Fields | undefined)?.["card_details"]);

/** Returns the call with the public test card in the place of one that was not kept, so that it can be run as it stands. */
export function withTestCard(call: CallOf, request: LoggedRequest, now: Date): CallOf {
  return hasCard(request) ? { ...call, body: { ...call.body, card_details: detailsOf(APPROVED_PAN, now) }, idempotencyKey: undefined } : call;
}

/** Whether something of what was sent is not in the log: a card, a token, a secret, or all that was too large. */
export function isPartial({ request, idempotency_key }: LoggedRequest): boolean {
  const text = JSON.stringify(request ?? {});
  return text.includes("•") || idempotency_key.includes("•") || (request !== undefined && "omitted" in (request as Fields)) || text.includes('"card_details"');
}
