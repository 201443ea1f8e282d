/** What happens, as it happens: the stream of `GET /events/watch`, which is begun again wherever it broke. */
import { effect, signal } from "@preact/signals";
import type { Schemas } from "./client.ts";
import { Lines } from "./lines.ts";
import { apiKey, bearer, end } from "./session.ts";

export type Event = Schemas["Event"];
/**
 * `crowded`: the merchant reads as many streams as it may, in other tabs or programs; one that ends makes room.
 * `off`: nothing is read, because nobody is signed in, the page has been hidden for long, or it was stopped.
 */
export type State = "live" | "connecting" | "crowded" | "off";

export type Watching = {
  /** One payment's events alone. */
  readonly paymentId?: string;
  /** One type's alone, such as `payment.captured`. */
  readonly type?: string;
  /** Gets each event once. */
  readonly onEvent: (event: Event) => void;
  /**
   * Called when the stream begins at `now`: at first, and where the gateway no longer knows the place. What came
   * before is not told, so load what you show; from here on nothing is missed.
   */
  readonly onBegin: () => void;
};

type Message = { readonly event?: Event; readonly cursor: string };

const WAIT_MILLISECONDS_MIN = 250;
const WAIT_MILLISECONDS_MAX = 5_000;
/** Heartbeats come every 10 s. */
const SILENCE_MILLISECONDS_MAX = 25_000;
const HIDDEN_MILLISECONDS_MAX = 5 * 60_000;

/** Returns how long to wait before an attempt, after so many that failed: twice as long each time, and by chance. */
export function backOff(failed: number, chance: number = Math.random()): number {
  const longest = Math.min(WAIT_MILLISECONDS_MAX, WAIT_MILLISECONDS_MIN * 2 ** failed);
  return Math.max(WAIT_MILLISECONDS_MIN, (longest * (1 + chance)) / 2);
}

/** Reads the stream from `start` until `stop`. */
export class Live {
  readonly state = signal<State>("off");
  readonly #watching: Watching;
  readonly #url: string;
  #cursor = "";
  #failed = 0;
  #running: AbortController | undefined;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #forgetKey = (): void => {};

  constructor(watching: Watching, url: string = globalThis.location?.origin ?? "") {
    this.#watching = watching;
    this.#url = url;
  }

  /** Reads while somebody is signed in; what another merchant's key may see begins anew. */
  start(): void {
    globalThis.document?.addEventListener("visibilitychange", this.#look);
    this.#forgetKey = effect(() => {
      const key = apiKey.value;
      this.#pause();
      this.#cursor = "";
      if (key) this.#resume();
    });
  }

  stop(): void {
    globalThis.document?.removeEventListener("visibilitychange", this.#look);
    this.#forgetKey();
    this.#pause();
  }

  /** A page that nobody looks at holds no stream for ever. */
  readonly #look = (): void => {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#pause(), HIDDEN_MILLISECONDS_MAX);
    else this.#resume();
  };

  #resume(): void {
    const key = apiKey.peek();
    if (this.#running || !key) return;
    this.#running = new AbortController();
    void this.#run(key, this.#running.signal);
  }

  #pause(): void {
    clearTimeout(this.#hidden);
    this.#running?.abort();
    this.#running = undefined;
    this.state.value = "off";
  }

  async #run(key: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.state.peek() === "off") this.state.value = "connecting";
      const pause = await this.#read(key, signal).catch(() => 0);
      if (signal.aborted) return;
      if (this.state.peek() === "live") this.state.value = "connecting";
      await waited(Math.max(pause, backOff(this.#failed)), signal);
      this.#failed += 1;
    }
  }

  /** Reads one stream to its end, and returns for how many milliseconds the gateway wants to be left alone. */
  async #read(key: string, signal: AbortSignal): Promise<number> {
    const silence = new Silence(signal);
    try {
      const headers = { ...bearer(key), "paygate-client": "console" };
      const reply = await fetch(this.#address(), { headers, signal: silence.signal, credentials: "omit", redirect: "error", cache: "no-store" });
      if (!reply.ok || !reply.body) return this.#refused(reply, key);
      const [lines, reader] = [new Lines(), reply.body.getReader()];
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        silence.broken();
        for (const message of lines.push(next.value)) this.#take(message as Message);
      }
      return 0;
    } finally {
      silence.end();
    }
  }

  #address(): string {
    const { paymentId = "", type = "" } = this.#watching;
    const given = Object.entries({ cursor: this.#cursor, payment_id: paymentId, type }).filter(([, value]) => value);
    const query = new URLSearchParams(given).toString();
    return `${this.#url}/events/watch${query && `?${query}`}`;
  }

  #refused(reply: Response, key: string): number {
    this.state.value = reply.status === 429 ? "crowded" : "connecting";
    if (reply.status === 401) end(key);
    // What it names is no longer a place of the stream.
    if (reply.status === 400) this.#cursor = "";
    return 1000 * (Number(reply.headers.get("retry-after")) || 0);
  }

  #take({ event, cursor }: Message): void {
    const begins = !this.#cursor;
    this.#cursor = cursor;
    this.#failed = 0;
    this.state.value = "live";
    if (begins) this.#watching.onBegin();
    if (event) this.#watching.onEvent(event);
  }
}

/** Aborts a stream that says nothing: its other end is gone, and nobody told us. */
class Silence {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout>;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
    this.#timer = this.#begin();
  }

  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#begin();
  }

  /** Lets go of the stream, too, if it has not ended by itself. */
  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  #begin(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), SILENCE_MILLISECONDS_MAX);
  }
}

function waited(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    const timer = setTimeout(resume, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resume()), { once: true });
  });
}
