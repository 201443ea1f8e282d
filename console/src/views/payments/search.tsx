/** One field for everything: an id of any kind, the last four digits of a card, or a reference. */
import { useSignal } from "@preact/signals";
import { api, result } from "../../api/client.ts";
import type { Failure } from "../../api/failure.ts";
import { caught } from "../../model/caught.ts";
import { go, link } from "../../route.ts";
import { Failed } from "../../ui/feedback.tsx";
import { SearchField } from "../../ui/search.tsx";

const PAGES_MAX = 10; // of 100 events

/** Finds what was typed, and goes there. */
export function Search() {
  const [typed, failure] = [useSignal(""), useSignal<Failure | undefined>(undefined)];
  const find = async (wanted: string) => {
    try {
      go(await placeOf(wanted));
      [typed.value, failure.value] = ["", undefined];
    } catch (problem) {
      failure.value = caught(problem);
    }
  };
  const type = (text: string) => { [typed.value, failure.value] = [text, undefined]; };
  return (
    <>
      <SearchField label="Search" placeholder="Id, last four digits or reference" value={typed.value} onInput={type} find={(wanted) => void find(wanted)} />
      {failure.value && <div class="whole"><Failed failure={failure.value} /></div>}
    </>
  );
}

async function placeOf(wanted: string): Promise<string> {
  if (wanted.startsWith("pay_")) {
    const { payment } = await result(api.GET("/payment/{id}", { params: { path: { id: wanted } } }));
    return link(["payments", payment.id]);
  }
  if (wanted.startsWith("evt_")) {
    const { event } = await result(api.GET("/events/{id}", { params: { path: { id: wanted } } }));
    return event.data?.payment ? link(["payments", event.data.payment.id]) : link(["webhooks"]);
  }
  if (wanted.startsWith("we_")) return link(["webhooks", wanted]);
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(wanted)) return link(["requests", wanted]);
  if (wanted.startsWith("act_")) return link(["payments", await paymentOf(wanted)]);
  return link(["payments"], /^\d{4}$/.test(wanted) ? { last4: wanted } : { reference: wanted });
}

/** Looks for an action among the newest events: the API has no filter for it. */
async function paymentOf(actionId: string): Promise<string> {
  let token = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = { page_size: 100, ...(token && { page_token: token }) };
    const reply = await result(api.GET("/events", { params: { query } }));
    const found = reply.events.find((event) => event.data?.action?.id === actionId);
    if (found) return found.data?.payment?.id ?? "";
    token = reply.next_page_token;
    if (!token) break;
  }
  throw new Error(`This action is not among the newest ${PAGES_MAX * 100} events.`);
}
