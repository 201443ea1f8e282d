/** Tables whose rows open something: by a click, by Enter, and with j and k from anywhere. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { link, route } from "../route.ts";
import { useKeys } from "./keys.ts";
import { useNearby } from "./nearby.ts";

export interface Column<T> {
  head: string;
  /** Drawn when its item is another: what else a cell stands on is read in a component of its own. */
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
  /** The very same while they say the same, or all rows are drawn again. */
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
  const open = ({ target }: Event) => {
    const row = target instanceof Element && !target.closest("a, button, input, select") && target.closest<HTMLElement>("tr[data-index]");
    const item = row && items[Number(row.dataset["index"])];
    if (item) onOpen?.(item);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && event.target instanceof HTMLTableRowElement) open(event);
  };
  return (
    <div class="table-scroll">
      {/* Roles are said, since on a phone, where rows are cards, browsers no longer take it for a table. */}
      <table class="table cards" role="table" data-spans={Boolean(below)} aria-label={label} aria-rowcount={items.length + 1}>
        <thead role="rowgroup"><tr role="row">{columns.map((column) => <th key={column.head} role="columnheader" scope="col" class={classOf(column)}>{column.head}</th>)}</tr></thead>
        <tbody role="rowgroup" ref={body} onClick={open} onKeyDown={key}>
          <Room key="above" pixels={from * height} />
          {items.slice(from, to).map((item, index) => <RowOf key={keyOf(item)} item={item} index={from + index} columns={columns} isLink={Boolean(onOpen)}
            isOpen={keyOf(item) === openKey} below={keyOf(item) === openKey ? below : undefined} isFresh={Boolean(fresh?.has(keyOf(item)))} />)}
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
  isLink: boolean;
  below: ((item: T) => ComponentChildren) | undefined;
  isOpen: boolean;
  isFresh: boolean;
}

/** A row, drawn again only when something of it is another: while one scrolls, most stay. */
function RowOf<T>({ item, index, columns, isLink, below, isOpen, isFresh }: RowProps<T>) {
  const row = useMemo(() => (
    <tr role="row" data-index={index} aria-rowindex={index + 2} data-link={isLink} data-new={isFresh} aria-selected={isOpen} tabIndex={isLink ? 0 : undefined}>
      {columns.map((column) => <td key={column.head} role="cell" class={classOf(column)}>{column.cell(item)}</td>)}
    </tr>
  ), [item, index, columns, isLink, isOpen, isFresh]);
  return <>{row}{below && <tr role="row" class="below"><td role="cell" colSpan={columns.length}>{below(item)}</td></tr>}</>;
}

/** A link of a row to a place, where the filters of this one stay. */
export function RowLink({ to, ...more }: { to: string[]; class: string; title?: string; tabIndex?: number; children: ComponentChildren }) {
  return <a href={link(to, Object.fromEntries(route.value.query))} {...more} />;
}
