/** Asks the edge how it is. That needs no key, and a 503 is an answer, too. */
import { ask } from "./ask.ts";
import type { Answer } from "../model/health.ts";

const SECONDS_MAX = 5;

/** Returns what one of the edge's questions is answered with; HTTP 0 if it is not. */
export async function healthOf(path: string, signal: AbortSignal): Promise<Answer> {
  try {
    const reply = await ask(path, { cache: "no-store", signal }, SECONDS_MAX);
    return { status: reply.status, said: Object(await reply.json().catch(() => ({}))) as Answer["said"] };
  } catch {
    signal.throwIfAborted();
    return { status: 0, said: {} };
  }
}
