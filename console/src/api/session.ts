/** The key of this tab: it goes with the tab, and stands in no address. */
import { computed, signal } from "@preact/signals";
import { ask } from "./ask.ts";

/** The reference (`/docs`) keeps its key in the same place: who has signed in there has done so here. */
const PLACE = "paygate-key";
const USED =
  "This link has been used. Paste the API key that `make run` printed, or stop `make run` and start it again for a new link.";
const NO_ANSWER = "The gateway does not answer. Try again when it runs.";
const ENDED = "The gateway no longer accepts this key. It was revoked, or its data was reset. Sign in again.";

/**
 * How far this tab has come: `opening` while a link is exchanged for its key, `in` with a key, `out` without one.
 * `word` says why there is no key, for people; it is empty if there is nothing to say.
 */
export type Session = {
  readonly state: "opening" | "in" | "out";
  readonly key: string;
  readonly word: string;
};

const out = (word = ""): Session => ({ state: "out", key: "", word });
const into = (key: string): Session => ({ state: "in", key, word: "" });

export const session = signal<Session>(out());
/** The key alone; empty without one. */
export const apiKey = computed(() => session.value.key);

/** Returns the code of a link, empty if it has none, and the fragment without it: `#/payments?code=x` is `#/payments`. */
export function takeCode(fragment: string): { code: string; rest: string } {
  let code = "";
  const rest = fragment.replace(/([#?&])code=([^&]*)(&|$)/, (_, before: string, found: string, after: string) => {
    code = found;
    return after ? before : "";
  });
  return { code, rest };
}

/** Begins the session, before anything reads the address, and takes the codes of links that are opened in this tab later. */
export function begin(): Promise<void> {
  addEventListener("hashchange", () => void open());
  const kept = sessionStorage.getItem(PLACE);
  if (kept) session.value = into(kept);
  return open();
}

async function open(): Promise<void> {
  const { code, rest } = takeCode(location.hash);
  if (!code) return;
  // At once, and before it is used: an address is copied, and kept in a history.
  history.replaceState(history.state, "", location.pathname + location.search + rest);
  const before = session.value;
  session.value = { state: "opening", key: before.key, word: "" };
  const { key, word } = await exchanged(code);
  if (key) keep(key);
  else session.value = before.key ? before : out(word);
}

async function exchanged(code: string): Promise<{ key: string; word: string }> {
  try {
    const reply = await ask("/docs/key", { method: "POST", headers: bearer(code) });
    if (reply.ok) return { key: ((await reply.json()) as { api_key: string }).api_key, word: "" };
    return { key: "", word: reply.status === 404 ? USED : NO_ANSWER };
  } catch {
    return { key: "", word: NO_ANSWER };
  }
}

/** Signs in with a key that was typed. If the gateway refuses it, `session` says why, and nothing is kept. */
export async function signIn(typed: string): Promise<void> {
  const key = typed.trim();
  if (!/^sk_\w+$/.test(key)) {
    session.value = out("An API key begins with `sk_`. `make run` prints one.");
    return;
  }
  const word = await refused(key);
  if (word) session.value = out(word);
  else keep(key);
}

/** A key that may not list payments may do something else: only 401 says that it is none. */
async function refused(key: string): Promise<string> {
  try {
    const reply = await ask("/payments?page_size=1", { headers: bearer(key) });
    if (reply.status === 401) return "This API key is not valid.";
    return reply.status >= 500 ? NO_ANSWER : "";
  } catch {
    return NO_ANSWER;
  }
}

/** Forgets the key. */
export function signOut(word = ""): void {
  sessionStorage.removeItem(PLACE);
  session.value = out(word);
}

/** Ends the session whose key was refused, unless another has begun meanwhile. */
export function end(key: string): void {
  if (key && key === session.value.key) signOut(ENDED);
}

export const bearer = (secret: string): Record<string, string> => ({ authorization: `Bearer ${secret}` });

function keep(key: string): void {
  sessionStorage.setItem(PLACE, key);
  session.value = into(key);
}
