/** Whatever was thrown, as a failure that can be shown, and what to do about it. */
import { Failure, unreachable } from "../api/failure.ts";

/** Returns it as a failure. */
export function caught(problem: unknown): Failure {
  if (problem instanceof Failure) return problem;
  if (problem instanceof TypeError) return unreachable();
  return new Failure("UNEXPECTED", problem instanceof Error ? problem.message : String(problem));
}

const ADVICE: Record<string, string> = {
  CONNECTION_FAILED: "Does make run still run? This page goes on when it does.",
  DEPENDENCY_UNAVAILABLE: "Something that the gateway stands on is away: Health says what.",
  INTERNAL: "The gateway's log has more under this request id.",
  METHOD_NOT_FOUND: "This gateway has no such method: in production the sandbox's are absent.",
};

/** Returns what to do about it, where its message does not say so. */
export const adviceOn = ({ reason, retryAfterSeconds }: Failure): string | undefined =>
  ADVICE[reason] ?? (retryAfterSeconds ? `Try again in ${retryAfterSeconds} s.` : undefined);
