/** Lines of a stream of server-sent events, of which one line is one message. */

/** Far above any message: what sends more is not this gateway. */
const CHARACTERS_MAX = 1 << 20;

/** Collects the pieces of a stream, which end anywhere, and returns the messages that are whole. */
export class Lines {
  #decoder = new TextDecoder();
  #rest = "";

  /** Returns the values of the lines `data: …` that a piece completes. Throws if they are not JSON, or too long. */
  push(piece: Uint8Array): unknown[] {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > CHARACTERS_MAX) throw new RangeError("A line of the stream is too long.");
    return lines.filter((line) => line.startsWith("data:")).map((line): unknown => JSON.parse(line.slice(5)));
  }
}
