/** Events as they come, over streams that follow each other: each is given once, and none is missed. */
import type { Client } from "openapi-fetch";
import type { components, paths } from "./api.ts";
import { PaygateError, result } from "./index.ts";

export type WatchQuery = NonNullable<paths["/events/watch"]["get"]["parameters"]["query"]>;
type Message = components["schemas"]["WatchEventsResponse"];
/** An event, and where to go on behind it: keep that when you have done what is to be done. */
export type Watched = { event: NonNullable<Message["event"]>; cursor: string };

const SILENCE_MS_MAX = 15_000; // a sign of life comes every 10 s at least
const MESSAGE_CHARACTERS_MAX = 2 ** 24;

/**
 * Watches events from now on, or from `query.cursor` on, until `signal` aborts. A stream that ends, breaks or is silent for 15 s is taken
 * up again from the last cursor. Throws `PaygateError` when that is refused, or was tried in vain for `deadlineSeconds`.
 */
export async function* watch(
  paygate: Client<paths>, query: WatchQuery = {}, { signal, deadlineSeconds = 30 }: { signal?: AbortSignal; deadlineSeconds?: number } = {},
): AsyncGenerator<Watched, void, undefined> {
  let cursor = query.cursor;
  for (let [number, end] = [0, Date.now() + deadlineSeconds * 1000]; !signal?.aborted; number++) {
    const [stream, request] = [new AbortController(), { ...query, ...(cursor ? { cursor } : {}) }];
    const stop = signal ? AbortSignal.any([signal, stream.signal]) : stream.signal;
    let failed = new PaygateError({ message: "No stream came, or it ended." }, "CONNECTION_FAILED");
    let silence = setTimeout(() => stream.abort(), SILENCE_MS_MAX);
    let asked = 0;
    try {
      const reply = await paygate.GET("/events/watch", { params: { query: request }, parseAs: "stream", signal: stop });
      if (!reply.response.ok) {
        asked = 1000 * Number(reply.response.headers.get("retry-after") ?? 0) || 0;
        failed = await result(Promise.resolve(reply)).then(() => failed, (error: PaygateError) => error);
      } else for await (const message of messages(reply.data as ReadableStream<Uint8Array>)) {
        clearTimeout(silence);
        cursor = message.cursor;
        if (message.event) yield { event: message.event, cursor };
        if (signal?.aborted) return;
        [number, end] = [0, Infinity]; // all is well: the time counts from the end of the stream
        silence = setTimeout(() => stream.abort(), SILENCE_MS_MAX);
      }
    } catch (error) {
      if (error instanceof PaygateError) throw error;
    } finally {
      clearTimeout(silence);
      stream.abort();
    }
    if (signal?.aborted) return;
    if (failed.status !== undefined && ![429, 503, 504].includes(failed.status)) throw failed;
    if (end === Infinity) end = Date.now() + deadlineSeconds * 1000;
    const pause = asked + (Math.min(2_000, 800 * 2 ** number) * (1 + Math.random())) / 2;
    if (Date.now() + pause > end) throw failed;
    await new Promise<void>((resume) => {
      const timer = setTimeout(done, pause);
      function done() { clearTimeout(timer); signal?.removeEventListener("abort", done); resume(); }
      signal?.addEventListener("abort", done);
    });
  }
}

async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const [reader, decoder] = [body.getReader(), new TextDecoder()];
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MESSAGE_CHARACTERS_MAX) return;
    for (const line of lines) if (line.startsWith("data: ")) yield read(line.slice(6));
  }
}

function read(text: string): Message {
  try {
    const said = JSON.parse(text) as Message;
    if (typeof said.cursor === "string") return said;
  } catch {
    // It is told below.
  }
  throw new PaygateError({ message: "A message that can't be read." }, "UNEXPECTED_REPLY");
}
