/** Which requests are shown: all of it stands in the address. */
import { useSignal } from "@preact/signals";
import { PATHS } from "../../model/paths.ts";
import { go, link } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Check, Choice } from "../../ui/field.tsx";
import { SearchField } from "../../ui/search.tsx";

export interface Filter {
  failed: string | undefined;
  method: string | undefined;
  idempotency_key: string | undefined;
  payment_id: string | undefined;
}

/** Calls of the log itself are not logged. */
const METHODS = [["", "Any method"], ...Object.keys(PATHS).filter((name) => !["ListRequests", "GetRequest"].includes(name)).map((name) => [name, name] as const)] as const;

/** Reads it from the address. */
export function filterOf(query: URLSearchParams): Filter {
  const said = (name: keyof Filter): string | undefined => query.get(name) || undefined;
  return { failed: said("failed"), method: said("method"), idempotency_key: said("idempotency_key"), payment_id: said("payment_id") };
}

/** Whether it leaves anything out. */
export const isNarrow = ({ failed, method, idempotency_key, payment_id }: Filter): boolean =>
  Boolean(failed ?? method ?? idempotency_key ?? payment_id);

/** Shows it, to be changed. */
export function Filters({ filter, path }: { filter: Filter; path: string[] }) {
  const typed = useSignal("");
  const change = (part: Partial<Filter>) => go(link(path, { ...filter, ...part }), { replace: true });
  const find = (wanted: string) => {
    change(wanted.startsWith("pay_") ? { payment_id: wanted } : { idempotency_key: wanted });
    typed.value = "";
  };
  return (
    <div class="filters">
      <SearchField label="Payment id or idempotency key" placeholder="Payment id or key" value={typed.value} onInput={(text) => { typed.value = text; }} find={find} />
      <Choice label="Method" value={filter.method ?? ""} onInput={(method) => change({ method })} options={METHODS} />
      <Check label="Failed only" on={Boolean(filter.failed)} onInput={(on) => change({ failed: on ? "1" : undefined })} />
      {filter.payment_id && <Button icon="close" onClick={() => change({ payment_id: undefined })}>payment: …{filter.payment_id.slice(-6)}</Button>}
      {filter.idempotency_key && <Button icon="close" onClick={() => change({ idempotency_key: undefined })}><span class="chip">key: {filter.idempotency_key}</span></Button>}
    </div>
  );
}
