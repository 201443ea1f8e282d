/** Tables whose rows open something: by a click, by Enter, and with j and k from anywhere. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useKeys } from "./keys.ts";
import { useNearby } from "./nearby.ts";

export interface Column<T> {
  head: string;
  cell: (item: T) => ComponentChildren;
  /** Figures, at the right. */
  figures?: boolean;
  /** How wide it is, by what is in it, whatever rows come: none takes the room that the others leave, and is cut where that is too little. */
  width?: "amount" | "status" | "card" | "time" | "id" | "short" | "code" | "words" | "method" | "later" | "answer";
  /**
   * `wide`: neither beside an open detail nor on a phone, and `widest` nor where that would not fit; `hidden`: not on a phone;
   * `beside`: not beside an open detail; `tight` and `tightest`: not where the table itself has too little.
   */
  room?: "widest" | "wide" | "hidden" | "beside" | "tight" | "tightest";
}

interface Props<T> {
  label: string;
  items: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (item: T) => string;
  onOpen?: (item: T) => void;
  openKey?: string | undefined;
  /** What is shown under the open row. */
  below?: ((item: T) => ComponentChildren) | undefined;
  /** Those that have just come. */
  fresh?: ReadonlySet<string>;
}

const classOf = <T,>({ figures, width, room }: Column<T>): string =>
  `${width ? `col-${width}` : "col-rest"}${figures ? " number" : ""}${room ? ROOM[room] : ""}`.trim();
const ROOM = { widest: " narrow-hide wide-only widest-only", wide: " narrow-hide wide-only", hidden: " narrow-hide", beside: " beside-hide", tight: " tight-hide", tightest: " tightest-hide" };

/** Shows items as rows; of very many those that are near. */
export function Rows<T>({ label, items, columns, keyOf, onOpen, openKey, below, fresh }: Props<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { from, to, height } = useNearby(items.length, body, { whole: Boolean(below) });
  const move = (by: number) => () => {
    const focused = document.activeElement?.closest<HTMLElement>("tr[data-index]");
    const open = items.findIndex((item) => keyOf(item) === openKey);
    const at = focused && body.current?.contains(focused) ? Number(focused.dataset["index"]) : open;
    focusRow(body.current, Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + by)), height);
  };
  useClosing(openKey, (key) => body.current?.querySelector<HTMLElement>(`tr[data-index="${items.findIndex((item) => keyOf(item) === key)}"]`));
  useKeys(onOpen ? { j: move(1), k: move(-1) } : {});
  return (
    <div class="table-scroll">
      {/* Roles are said, since on a phone, where rows are cards, browsers no longer take it for a table. */}
      <table class="table cards" role="table" data-spans={Boolean(below)} aria-label={label} aria-rowcount={items.length + 1}>
        <thead role="rowgroup"><tr role="row">{columns.map((column) => <th key={column.head} role="columnheader" scope="col" class={classOf(column)}>{column.head}</th>)}</tr></thead>
        <tbody role="rowgroup" ref={body}>
          <Room key="above" pixels={from * height} />
          {items.slice(from, to).map((item, index) => <RowOf key={keyOf(item)} item={item} index={from + index} columns={columns} onOpen={onOpen} below={below}
            isOpen={keyOf(item) === openKey} isFresh={Boolean(fresh?.has(keyOf(item)))} />)}
          <Room key="under" pixels={(items.length - Math.min(to, items.length)) * height} />
        </tbody>
      </table>
    </div>
  );
}

/** Gives the focus that what was open has had to its row. */
function useClosing(openKey: string | undefined, rowOf: (key: string) => HTMLElement | null | undefined): void {
  const before = useRef(openKey);
  useEffect(() => {
    const closed = before.current;
    before.current = openKey;
    if (closed && !openKey && document.activeElement === document.body) rowOf(closed)?.focus({ preventScroll: true });
  }, [openKey]);
}

/** Goes to a row; one that is not drawn is drawn first. */
function focusRow(body: HTMLTableSectionElement | null, index: number, height: number): void {
  const row = () => body?.querySelector<HTMLElement>(`tr[data-index="${index}"]`);
  if (row()) return row()?.focus();
  scrollBy({ top: (body?.getBoundingClientRect().top ?? 0) + index * height - innerHeight / 2, behavior: "instant" });
  requestAnimationFrame(() => requestAnimationFrame(() => row()?.focus()));
}

/** The room of rows that are not drawn. One cell: if it spanned columns that are hidden, the others would make room for them. */
function Room({ pixels }: { pixels: number }) {
  return pixels > 0 ? <tr class="room" aria-hidden="true"><td style={{ height: `${pixels}px` }} /></tr> : null;
}

interface RowProps<T> {
  item: T;
  index: number;
  columns: readonly Column<T>[];
  onOpen: ((item: T) => void) | undefined;
  below: ((item: T) => ComponentChildren) | undefined;
  isOpen: boolean;
  isFresh: boolean;
}

function RowOf<T>({ item, index, columns, onOpen, below, isOpen, isFresh }: RowProps<T>) {
  const open = (event: Event) => {
    const inner = event.target instanceof Element && event.target.closest("a, button, input, select");
    if (!inner) onOpen?.(item);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && event.target === event.currentTarget) onOpen?.(item);
  };
  return (
    <>
      <tr role="row" data-index={index} aria-rowindex={index + 2} data-link={Boolean(onOpen)} data-new={isFresh} aria-selected={isOpen}
        tabIndex={onOpen ? 0 : undefined} onClick={open} onKeyDown={key}>
        {columns.map((column) => <td key={column.head} role="cell" class={classOf(column)}>{column.cell(item)}</td>)}
      </tr>
      {isOpen && below && <tr role="row" class="below"><td role="cell" colSpan={columns.length}>{below(item)}</td></tr>}
    </>
  );
}
