/** A table whose newest rows come by themselves. */
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { Button } from "./button.tsx";
import { Failed, Skeleton } from "./feedback.tsx";
import { useHolding } from "./holding.ts";
import type { Polling } from "./polling.ts";
import { Rows, type Column } from "./rows.tsx";

interface Props<T> {
  polling: Polling<T>;
  /** What one of them is called, and many. */
  nouns: readonly [one: string, many: string];
  label: string;
  columns: readonly Column<T>[];
  onOpen: (item: T) => void;
  openKey?: string | undefined;
  /** What is shown under the open row. */
  below?: (item: T) => ComponentChildren;
  /** Says that there is none, and what to do. */
  empty: ComponentChildren;
}

/** Shows them; while the pointer is on the table new ones wait, and are counted. */
export function PolledRows<T>({ polling, nouns, empty, ...table }: Props<T>) {
  const { list, failure, held, keyOf, showWaiting, showMore, again } = polling;
  const around = useHolding(held, showWaiting);
  const now = list.value;
  const [items, waiting] = [now?.items ?? [], now?.waiting ?? []];
  return (
    <div ref={around}>
      {failure.value && <div class="panel-body"><Failed failure={failure.value} again={() => void again()} /></div>}
      {!now && !failure.value && <Skeleton />}
      {waiting.length > 0 && (
        <div class="panel-foot"><Button kind="plain" icon="capture" onClick={showWaiting}>{waiting.length} new {nouns[waiting.length === 1 ? 0 : 1]}: show</Button></div>
      )}
      {now && !items.length && !waiting.length && !now.more && empty}
      {now && items.length > 0 && <Rows items={items} keyOf={keyOf} fresh={now.fresh} {...table} />}
      {now && (items.length > 0 || now.more) && <More count={items.length} nouns={nouns} more={now.more} show={showMore} />}
    </div>
  );
}

function More({ count, nouns, more, show }: { count: number; nouns: Props<unknown>["nouns"]; more: string; show: () => Promise<void> }) {
  const busy = useSignal(false);
  const click = async () => {
    busy.value = true;
    await show();
    busy.value = false;
  };
  return (
    <div class="panel-foot">
      <span>{count} {nouns[count === 1 ? 0 : 1]} shown</span>
      {more && <Button onClick={() => void click()} busy={busy.value}>Show more</Button>}
    </div>
  );
}
