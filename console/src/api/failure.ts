/** Why a call did not do what it should. */

/** What is wrong with one field of a request. */
export type Violation = { readonly field: string; readonly description: string };

/** A call was refused, or nothing is known of it. */
export class Failure extends Error {
  /** For programs, and never changes its meaning: those of the API, `CONNECTION_FAILED` and `UNEXPECTED_REPLY`. */
  readonly reason: string;
  /** Names the request in logs; empty if no reply came. */
  readonly requestId: string;
  /** Of HTTP; 0 if no reply came. */
  readonly status: number;
  readonly fields: readonly Violation[];
  /** After how long the same call may go better; undefined if the gateway did not say. */
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: string, message: string, reply?: Response, fields: readonly Violation[] = []) {
    super(message);
    this.name = "Failure";
    this.reason = reason;
    this.requestId = reply?.headers.get("x-request-id") ?? "";
    this.status = reply?.status ?? 0;
    this.fields = fields;
    this.retryAfterSeconds = Number(reply?.headers.get("retry-after")) || undefined;
  }
}

/** Returns the failure that a reply's body tells: a google.rpc.Status, or whatever came in its place. */
export function failureOf(said: unknown, reply: Response): Failure {
  const { message, details = [] }: { message?: string; details?: readonly object[] } = Object(said);
  const told: { reason?: string; field_violations?: readonly Violation[] } = Object.assign({}, ...details);
  if (!told.reason) return new Failure("UNEXPECTED_REPLY", `HTTP ${reply.status}, without the contract's words.`, reply);
  return new Failure(told.reason, message ?? told.reason, reply, told.field_violations);
}

export const unreachable = (): Failure => new Failure("CONNECTION_FAILED", "The gateway did not reply.");
