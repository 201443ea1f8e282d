/** Ids and texts that one click copies. */
import { useSignal } from "@preact/signals";
import { Icon } from "./icons.tsx";

const SHOWN_MILLISECONDS = 1_500;

/** Copies a text; says so for a moment. */
export function Copy({ text, label }: { text: string; label: string }) {
  const done = useSignal(false);
  const copy = async (event: Event) => {
    event.stopPropagation();
    await toClipboard(text);
    done.value = true;
    setTimeout(() => { done.value = false; }, SHOWN_MILLISECONDS);
  };
  return (
    <button type="button" class="icon-button" aria-label={label} title={done.value ? "Copied" : label} onClick={copy}>
      <Icon name={done.value ? "check" : "copy"} size={14} />
      <span class="unseen" role="status">{done.value ? "Copied" : ""}</span>
    </button>
  );
}

/** Shows an id, which may be a link, and copies it. */
export function Id({ id, to, label = "Copy the id" }: { id: string; to?: string; label?: string }) {
  if (!id) return <span class="muted">–</span>;
  return (
    <span class="id">
      {to ? <a href={to} title={id}>{id}</a> : <span title={id}>{id}</span>}
      <Copy text={id} label={label} />
    </span>
  );
}

/** Shows an id by its kind and its end, where there is little room. */
export function ShortId({ id, to }: { id: string; to: string }) {
  if (!id) return <span class="muted">–</span>;
  return <a href={to} title={id} class="mono">{shortOf(id)}</a>;
}

const END_CHARACTERS = 6;
const shortOf = (id: string): string => (id.includes("_") ? `${id.split("_")[0]}_…${id.slice(-END_CHARACTERS)}` : `${id.slice(0, 8)}…`);

async function toClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Over plain HTTP to another host than this machine browsers have no clipboard.
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
