/** Whatever was thrown, as a failure that can be shown, and what to do about it. */
import { Failure, unreachable } from "../api/failure.ts";

/** Returns it as a failure. */
export function caught(problem: unknown): Failure {
  if (problem instanceof Failure) return problem;
  if (problem instanceof TypeError) return unreachable();
  return new Failure("UNEXPECTED", problem instanceof Error ? problem.message : String(problem));
}

const ADVICE: Record<string, string> = {
  CONNECTION_FAILED: "Is `make run` still running? This page continues when it is back.",
  DEPENDENCY_UNAVAILABLE: "Something the gateway depends on is down: Health says what.",
  INTERNAL: "The gateway's log has more under this request id.",
  METHOD_NOT_FOUND: "This gateway has no such method: in production the sandbox's are absent.",
};

/** Returns what to do about it, where its message does not say so. */
export const adviceOn = ({ reason, retryAfterSeconds }: Failure): string | undefined =>
  ADVICE[reason] ?? (retryAfterSeconds ? `Try again in ${retryAfterSeconds} s.` : undefined);
