/** What the edge says of every part, in words: what it is for, and when it is down, what that means and what to do. Pure. */
import type { Shown } from "./statuses.ts";

/** What was answered: HTTP 0 is no answer. */
export interface Answer {
  status: number;
  said: { status?: string; dependencies?: Record<string, string> } & Record<string, unknown>;
}

export interface Part {
  name: string;
  shown: Shown;
  /** What it is for while it is well, else what is missing without it. */
  means: string;
  /** What to do; undefined if nothing is to be done. */
  todo: string | undefined;
}

export interface Group {
  title: string;
  path: string;
  parts: Part[];
}

interface Words {
  name: string;
  well: string;
  ill: string;
  log?: string;
}

export const PATHS = ["/health", "/health/webhooks", "/health/ready", "/health/live"] as const;
export type HealthPath = (typeof PATHS)[number];
export type Answers = Readonly<Record<HealthPath, Answer>>;

const WELL: Shown = { word: "Up", tone: "good", shape: "check" };
const ILL: Shown = { word: "Down", tone: "bad", shape: "alert" };
const PARTLY: Shown = { word: "Degraded", tone: "warn", shape: "half" };
const SILENT: Shown = { word: "No answer", tone: "bad", shape: "alert" };
const BUSY: Shown = { word: "Not known", tone: "quiet", shape: "clock" };

const WORDS: Record<string, Words> = {
  "/health": { name: "Gateway", well: "Workers take calls.", ill: "No worker can serve: every call gets 503, and may be repeated under its key.", log: "payments-1" },
  "/health/webhooks": { name: "Relay", well: "Events go to webhook endpoints.", ill: "Events are kept and not delivered; they go out when it is back.", log: "relay" },
  "/health/ready": { name: "Ready", well: "A load balancer may send requests here.", ill: "No worker is up, or Envoy is shutting down: a load balancer sends nothing here.", log: "payments-1" },
  "/health/live": { name: "Envoy", well: "REST and gRPC come in through it.", ill: "Nothing comes in: no REST, no gRPC, and this page gets no updates.", log: "envoy" },
  database: { name: "Database", well: "PostgreSQL keeps payments, events and keys.", ill: "Nothing is read or written: every call gets 503. What was committed is safe.", log: "postgres" },
  acquirer: { name: "Bank", well: "The simulated bank answers.", ill: "No new payments or actions; payments can be read. PENDING actions settle when it is back.", log: "acquirer" },
  vault: { name: "Card vault", well: "Keeps the keys that card numbers are encrypted with.", ill: "No new card is accepted. Everything else works.", log: "payments-1" },
  nats: { name: "Event bus", well: "Other services read events from it.", ill: "Events wait for the bus; webhooks are delivered all the same.", log: "relay" },
  payments: { name: "Payments workers", well: "They take calls.", ill: "No worker answers: every call gets 503.", log: "payments-1" },
  relay: { name: "Relay process", well: "It delivers events.", ill: "No relay answers: events wait until one does.", log: "relay" },
};

/** Returns all parts, in groups. */
export function groupsOf(answers: Answers): Group[] {
  const group = (title: string, path: HealthPath): Group => ({ title, path, parts: partsOf(path, answers[path]) });
  return [
    group("Payments", "/health"),
    group("Webhooks", "/health/webhooks"),
    { title: "Edge", path: "/health/live", parts: [...partsOf("/health/live", answers["/health/live"]), ...partsOf("/health/ready", answers["/health/ready"])] },
  ];
}

/** Returns what one answer tells: of the whole first, and then of what it stands on. */
export function partsOf(path: HealthPath, { status, said }: Answer): Part[] {
  if (status === 0) return [part(path, SILENT)];
  if (status === 429) return [{ ...part(path, WELL), shown: BUSY, means: "This address asks too often. The page asks again.", todo: undefined }];
  const parts = Object.entries({ ...said.dependencies, ...outside(said) }).map(([name, state]) => part(name, state === "UP" ? WELL : ILL));
  return [part(path, wholeOf(status, said.status)), ...parts];
}

/** Parts that Envoy itself knows to be away. */
const outside = (said: Answer["said"]): Record<string, string> =>
  Object.fromEntries(Object.entries(said).filter(([, state]) => state === "DOWN")) as Record<string, string>;

function wholeOf(status: number, said: string | undefined): Shown {
  if (said === "DEGRADED") return PARTLY;
  return status === 200 ? WELL : ILL;
}

function part(name: string, shown: Shown): Part {
  const { name: called, well, ill, log } = WORDS[name] ?? { name, well: "", ill: "Something the gateway depends on is down." };
  if (shown === WELL) return { name: called, shown, means: well, todo: undefined };
  if (shown === PARTLY) return { name: called, shown, means: "It serves, except for what is down below.", todo: undefined };
  const todo = log ? `\`make run\` starts it again. If it stays down, see \`logs/${log}.log\` in the data folder.` : undefined;
  return { name: called, shown, means: ill, todo };
}

/** Returns all of it in one line. */
export function summaryOf(groups: readonly Group[]): Shown & { text: string } {
  const parts = groups.flatMap((group) => group.parts);
  const ill = parts.filter((one) => one.shown === ILL || one.shown === SILENT).map((one) => one.name);
  if (parts.every((one) => one.shown === SILENT)) return { ...SILENT, text: "The gateway does not answer. Is `make run` still running?" };
  if (ill.length) return { ...ILL, word: "Something is down", text: `${[...new Set(ill)].join(", ")}. See below what that means and what to do.` };
  return { ...WELL, word: "All is well", text: "Every part answers." };
}
