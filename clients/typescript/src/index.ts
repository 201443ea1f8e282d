/** A client of paygate: openapi-fetch with the API's types, and one key over all attempts at a call. */
import createClient, { defaultPathSerializer, type Client } from "openapi-fetch";
import type { components, paths } from "./api.ts";

export type { components, paths };
export { watch, type Watched, type WatchQuery } from "./watch.ts";
type Said = { message?: string; details?: { reason?: string }[] };

/** A call was refused, or no reply came: `reason` is for programs, and never changes its meaning. */
export class PaygateError extends Error {
  reason: string; details: object[];
  status: number | undefined; requestId: string | null | undefined;
  constructor(said: Said, reason: string, reply?: Response) {
    super(`${reason}: ${said.message ?? `HTTP ${reply?.status}`}`);
    [this.name, this.reason, this.details] = ["PaygateError", reason, said.details ?? []];
    [this.status, this.requestId] = [reply?.status, reply?.headers.get("x-request-id")];
  }
}

/** Connects to a gateway. A call ends after `deadlineSeconds`, with all its attempts and pauses; a drain 30 s later. */
export function connect(url: string, apiKey: string, { deadlineSeconds = 30 } = {}): Client<paths> {
  const pathSerializer: typeof defaultPathSerializer = (path, ids) => (Object.values(ids).forEach(check), defaultPathSerializer(path, ids));
  return createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${apiKey}` }, pathSerializer, fetch: (call) => send(call, deadlineSeconds * 1000) });
}

/** Returns what a call says. Throws `PaygateError` where it was refused or nothing is known of it. */
export async function result<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw cause instanceof SyntaxError ? new PaygateError({ message: "No JSON." }, "UNEXPECTED_REPLY") : cause;
  });
  if (response.ok && data !== undefined) return data;
  const said: Said = Object(error);
  throw new PaygateError(said, said.details?.[0]?.reason ?? "UNEXPECTED_REPLY", response);
}

async function send(call: Request, milliseconds: number): Promise<Response> {
  if (new URL(call.url).pathname.endsWith("/events/watch")) return fetch(call, { redirect: "manual" }); // `watch` asks again itself
  const waits = call.url.endsWith("/sandbox/drain") ? 30_000 : 0; // what the gateway may wait on purpose
  const [end, key] = [Date.now() + milliseconds + waits, "idempotency-key"];
  if (call.method === "POST" && !call.headers.has(key)) call.headers.set(key, crypto.randomUUID());
  for (let number = 1; ; number++) {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(Math.max(1, Math.min(10_000 + waits, end - Date.now())))]);
    // To follow a redirect would send a card to whatever address an answer names.
    const reply = await fetch(call.clone(), { signal, redirect: "manual" }).then(whole).catch(() => undefined);
    call.signal.throwIfAborted();
    // Only the reply was lost: the attempt before has deleted it.
    if (number > 1 && reply?.status === 404 && /^DELETE .*\/(webhook-endpoints|bank-rules|sandboxes)\//.test(`${call.method} ${call.url}`)) return new Response("{}");
    if (reply && !(await helps(reply))) return reply;
    const asked = 1000 * Number(reply?.headers.get("retry-after") ?? 0) || 0;
    const pause = asked + (Math.min(2_000, 50 * 2 ** number) * (1 + Math.random())) / 2;
    if (Date.now() + pause < end) await new Promise((resume) => (setTimeout(resume, pause), call.signal.addEventListener("abort", resume)));
    else if (reply) return reply;
    else throw new PaygateError({ message: "No reply came." }, "CONNECTION_FAILED");
  }
}

const check = (id: unknown) => { if (/^\.{0,2}$/.test(`${id}`)) throw new TypeError("An id is neither empty nor dots: they lead to another path."); };
const whole = async (reply: Response) => new Response(await reply.arrayBuffer(), reply);
const helps = async (reply: Response) =>
  [429, 503, 504].includes(reply.status) ||
  (reply.status === 409 && (await reply.clone().text()).includes('"IDEMPOTENCY_IN_FLIGHT"'));
