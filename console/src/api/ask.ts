/** How every call leaves this page: without cookies, to no other place than its own, and for so long at most. */

export const SECONDS_MAX = 15;

/** Returns the reply, all of it; throws if it is not here in time, or leads elsewhere. */
export async function ask(call: Request | string, how: RequestInit = {}, seconds = SECONDS_MAX): Promise<Response> {
  const timeout = AbortSignal.timeout(1_000 * seconds);
  const signal = how.signal ? AbortSignal.any([how.signal, timeout]) : timeout;
  const head = await fetch(call, { ...how, signal, credentials: "omit", redirect: "error" });
  return new Response(head.status === 204 ? null : await head.arrayBuffer(), head);
}
