/** Calls of the API, with its own types: what it does not have does not compile. */
import createClient, { defaultPathSerializer, type Client } from "openapi-fetch";
import type { components, paths } from "../../../clients/typescript/src/api.ts";
import { SECONDS_MAX, ask } from "./ask.ts";
import { Failure, failureOf, unreachable } from "./failure.ts";
import { end, session } from "./session.ts";

export { Failure } from "./failure.ts";
export type Schemas = components["schemas"];

/** The sandbox's drain waits for what it settles. */
const DRAIN_SECONDS_MAX = 45;

/** What a call says, and what its headers tell of it. */
export type Reply<T> = {
  readonly data: T;
  readonly requestId: string;
  /** Whether it is the stored reply of an earlier call under the same key. */
  readonly replayed: boolean;
};

type Call<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/** Returns a client of a gateway; the console needs only `api`. */
export function connect(url: string): Client<paths> {
  const pathSerializer: typeof defaultPathSerializer = (path, ids) => {
    Object.values(ids).forEach(checkId);
    return defaultPathSerializer(path, ids);
  };
  const look = (call: Request): Promise<Response> => {
    call.headers.set("paygate-client", "console"); // what it only looks at is not in the request log
    return send(call);
  };
  return createClient<paths>({ baseUrl: url, pathSerializer, fetch: look });
}

/** This gateway: `await result(api.GET("/payments", { params: { query: { page_size: 20 } } }))`. */
export const api: Client<paths> = connect(globalThis.location?.origin ?? "");

/** Returns what a call says, or throws a `Failure`. A call whose own signal was aborted throws that signal's reason. */
export async function result<T>(call: Call<T>): Promise<T> {
  return (await answer(call)).data;
}

/** The same, with what the headers tell. */
export async function answer<T>(call: Call<T>): Promise<Reply<T>> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw cause instanceof SyntaxError ? new Failure("UNEXPECTED_REPLY", "The reply is no JSON.") : cause;
  });
  if (!response.ok || data === undefined) throw failureOf(error, response);
  const { headers } = response;
  return { data, requestId: headers.get("x-request-id") ?? "", replayed: headers.has("idempotent-replayed") };
}

/** Returns a fresh idempotency key. Browsers have `randomUUID` only where an address is safe. */
export function newKey(): string {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
  return `console-${digits.join("")}`;
}

/**
 * Returns what sends a call under a key, so that it can be shown and repeated:
 * `api.POST("/capture", { body, ...under(key) })`. A POST without one gets a fresh key of its own.
 */
export const under = (key: string) => ({ headers: { "idempotency-key": key } });

/** Sends any call of the API, by the rules of all: with the key of this tab, whose session a 401 ends. */
export async function send(call: Request): Promise<Response> {
  const { key } = session.value;
  if (key && !call.headers.has("authorization")) call.headers.set("authorization", `Bearer ${key}`);
  if (call.method === "POST" && !call.headers.has("idempotency-key")) call.headers.set("idempotency-key", newKey());
  const seconds = call.url.endsWith("/sandbox/drain") ? DRAIN_SECONDS_MAX : SECONDS_MAX;
  const reply = await ask(call, { signal: call.signal }, seconds).catch(() => undefined);
  call.signal.throwIfAborted();
  if (!reply) throw unreachable();
  if (reply.status === 401) end(key);
  return reply;
}

/** Empty ids and dots lead to another path. */
function checkId(id: unknown): void {
  if (/^\.{0,2}$/.test(`${id}`)) throw new Failure("NOT_AN_ID", "An id is neither empty nor dots.");
}
