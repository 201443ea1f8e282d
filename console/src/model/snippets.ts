/** A call as somebody would write it: for a shell, for Python, for TypeScript. The key is never in it. */

export interface CallOf {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  body?: Record<string, unknown> | undefined;
  idempotencyKey?: string | undefined;
}

export type Language = "curl" | "Python" | "TypeScript";
export const LANGUAGES: readonly Language[] = ["curl", "Python", "TypeScript"];

/** Returns the call in that language; `PAYGATE_API_KEY` is taken from the environment. */
export function snippet(language: Language, call: CallOf, base: string): string {
  return WRITERS[language](call, base);
}

const WRITERS: Record<Language, (call: CallOf, base: string) => string> = {
  curl({ method, path, body, idempotencyKey }, base) {
    const words = [`curl -sS ${method === "GET" || (method === "POST" && body) ? "" : `-X ${method} `}${inQuotes(base + path)}`];
    words.push(`-H "authorization: Bearer $PAYGATE_API_KEY"`);
    if (idempotencyKey) words.push(`-H ${inQuotes(`idempotency-key: ${idempotencyKey}`)}`);
    if (body) words.push(`-H 'content-type: application/json'`, `-d ${inQuotes(JSON.stringify(body))}`);
    return words.join(" \\\n  ");
  },
  Python({ method, path, body, idempotencyKey }, base) {
    const headers = [`"authorization": f"Bearer {os.environ['PAYGATE_API_KEY']}"`];
    if (idempotencyKey) headers.push(`"idempotency-key": ${JSON.stringify(idempotencyKey)}`);
    const lines = [`    ${JSON.stringify(method)},`, `    ${JSON.stringify(base + path)},`, `    headers={${headers.join(", ")}},`];
    if (body) lines.push(`    json=${python(body)},`);
    return `import os\n\nimport httpx2\n\nreply = httpx2.request(\n${lines.join("\n")}\n)\nprint(reply.status_code, reply.json())`;
  },
  TypeScript({ method, path, body, idempotencyKey }, base) {
    const headers = ["authorization: `Bearer ${process.env.PAYGATE_API_KEY}`"];
    if (idempotencyKey) headers.push(`"idempotency-key": ${JSON.stringify(idempotencyKey)}`);
    if (body) headers.push(`"content-type": "application/json"`);
    const lines = [`  method: ${JSON.stringify(method)},`, `  headers: { ${headers.join(", ")} },`];
    if (body) lines.push(`  body: JSON.stringify(${JSON.stringify(body)}),`);
    return `const reply = await fetch(${JSON.stringify(base + path)}, {\n${lines.join("\n")}\n});\nconsole.log(reply.status, await reply.json());`;
  },
};

const inQuotes = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Returns a value as Python writes it: JSON, but for three words. */
function python(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${python(one)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}
