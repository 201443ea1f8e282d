/** Asking the same thing again and again, and never twice at once: pure, so that what it does can be tried without a page. */

/** What cannot keep up with those who ask is asked less often; no answer is thrown away because the next was wanted. */
export class Asking {
  readonly #ask: (signal: AbortSignal) => Promise<void>;
  readonly #stop = new AbortController();
  #now: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `ask` takes its answer itself, and rejects for nothing. */
  constructor(ask: (signal: AbortSignal) => Promise<void>) {
    this.#ask = ask;
  }

  /** Aborted by `stop`. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Asks, and returns when that is answered. All who come while an answer is under way share the next one. */
  again(): Promise<void> {
    if (this.#now) this.#next ??= this.#now.then(() => this.#begin());
    return this.#next ?? this.#begin();
  }

  /** Asks no more, and gives up what is under way. */
  stop(): void {
    this.#stop.abort();
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    if (this.signal.aborted) return Promise.resolve();
    this.#now = this.#ask(this.signal).finally(() => { this.#now = undefined; });
    return this.#now;
  }
}
