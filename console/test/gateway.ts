/** A gateway on a loopback port that answers from a script, and what stands in for a tab of a browser. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { session } from "../src/api/session.ts";

export type Answer = (reply: ServerResponse, request: IncomingMessage) => void;
export type Asked = { readonly method: string; readonly url: string; readonly headers: IncomingMessage["headers"]; readonly body: string };

const kept = new Map<string, string>();
Object.assign(globalThis, {
  sessionStorage: {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  },
});

export const KEY = "sk_0123_4567";

/** Signs in without asking anybody. */
export function signedIn(key = KEY): void {
  session.value = { state: "in", key, word: "" };
}

/** Serves one answer after the other, the last one for ever, while `use` runs; returns what was asked. */
export async function serving(answers: readonly Answer[], use: (url: string, asked: Asked[]) => Promise<void>): Promise<Asked[]> {
  const asked: Asked[] = [];
  const server = createServer(async (request, reply) => {
    let body = "";
    for await (const piece of request) body += piece;
    asked.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    (answers[asked.length - 1] ?? answers.at(-1))?.(reply, request);
  });
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  const { port } = server.address() as AddressInfo;
  try {
    await use(`http://127.0.0.1:${port}`, asked);
  } finally {
    server.closeAllConnections();
    await new Promise((resume) => server.close(resume));
  }
  return asked;
}

export const says =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (reply) => {
    reply.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1", ...headers });
    reply.end(typeof body === "string" ? body : JSON.stringify(body));
  };

export const refuses = (status: number, reason: string, headers: Record<string, string> = {}, more: readonly object[] = []): Answer =>
  says({ code: 3, message: "Said so.", details: [{ "@type": "x", reason }, ...more] }, status, headers);
