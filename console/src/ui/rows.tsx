/** Tables whose rows open something: by a click, by Enter, and with j and k from anywhere. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useKeys } from "./keys.ts";

export interface Column<T> {
  head: string;
  cell: (item: T) => ComponentChildren;
  /** Figures, at the right. */
  figures?: boolean;
  /** Takes the room that the others leave, and is cut where that is too little. */
  fill?: boolean;
  /** Where it is left out: `hidden` on a phone, `wide` beside an open detail, too, and `widest` also where that would not fit. */
  room?: "widest" | "wide" | "hidden";
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

const classOf = <T,>({ figures, fill, room }: Column<T>): string =>
  `${figures ? "number" : ""}${fill ? " fill" : ""}${room ? " narrow-hide" : ""}${room?.startsWith("wide") ? " wide-only" : ""}${room === "widest" ? " widest-only" : ""}`.trim();

/** Shows items as rows. */
export function Rows<T>({ label, items, columns, keyOf, onOpen, openKey, below, fresh }: Props<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (by: number) => () => {
    const rows = [...(body.current?.rows ?? [])].filter((row) => row.tabIndex === 0);
    const focused = rows.findIndex((row) => row === document.activeElement);
    const at = focused < 0 ? rows.findIndex((row) => row.ariaSelected === "true") : focused;
    rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))]?.focus();
  };
  useKeys(onOpen ? { j: move(1), k: move(-1) } : {});
  return (
    <div class="table-scroll">
      {/* Roles are said, since on a phone, where rows are cards, browsers no longer take it for a table. */}
      <table class="table cards" role="table" aria-label={label}>
        <thead role="rowgroup"><tr role="row">{columns.map((column) => <th key={column.head} role="columnheader" scope="col" class={classOf(column)}>{column.head}</th>)}</tr></thead>
        <tbody role="rowgroup" ref={body}>
          {items.map((item) => <RowOf key={keyOf(item)} item={item} columns={columns} onOpen={onOpen} below={below}
            isOpen={keyOf(item) === openKey} isFresh={Boolean(fresh?.has(keyOf(item)))} />)}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps<T> {
  item: T;
  columns: readonly Column<T>[];
  onOpen: ((item: T) => void) | undefined;
  below: ((item: T) => ComponentChildren) | undefined;
  isOpen: boolean;
  isFresh: boolean;
}

function RowOf<T>({ item, columns, onOpen, below, isOpen, isFresh }: RowProps<T>) {
  const open = (event: Event) => {
    const inner = event.target instanceof Element && event.target.closest("a, button, input, select");
    if (!inner) onOpen?.(item);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && event.target === event.currentTarget) onOpen?.(item);
  };
  return (
    <>
      <tr role="row" data-link={Boolean(onOpen)} data-new={isFresh} aria-selected={isOpen} tabIndex={onOpen ? 0 : undefined}
        onClick={open} onKeyDown={key}>
        {columns.map((column) => <td key={column.head} role="cell" class={classOf(column)}>{column.cell(item)}</td>)}
      </tr>
      {isOpen && below && <tr role="row" class="below"><td role="cell" colSpan={columns.length}>{below(item)}</td></tr>}
    </>
  );
}
