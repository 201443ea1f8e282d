/** Where one is: `#/payments/pay_…?status=…`, which a link can be made of and the browser's Back knows. */
import { computed, signal } from "@preact/signals";
import { takeCode } from "./api/session.ts";

export interface Route {
  /** The parts of the path: `["payments", "pay_…"]`. */
  path: string[];
  query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => { hash.value = location.hash; });

/** Where one is now. The code of a link is no place: the session takes it from the address. */
export const route = computed((): Route => routeOf(takeCode(hash.value).rest));

/** Reads a fragment; whatever it says, it is a place. */
function routeOf(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** Returns the address of a place; what is empty in the query is left out. */
export function link(path: string[], query: Record<string, string | undefined> = {}): string {
  const said = Object.entries(query).filter((one): one is [string, string] => Boolean(one[1]));
  const search = said.length ? `?${new URLSearchParams(said)}` : "";
  return `#/${path.map(encodeURIComponent).join("/")}${search}`;
}

/** Goes there; `replace` leaves nothing for Back to come to. */
export function go(to: string, { replace = false } = {}): void {
  if (to === location.hash) return;
  if (replace) history.replaceState(history.state, "", to);
  else location.hash = to;
  hash.value = to;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody has typed it
  }
}
