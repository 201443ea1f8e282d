/** Draws of a long table what is seen, and room in the place of the rest. */
import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { nearby, type Part } from "../model/nearby.ts";

/** Shorter tables are drawn whole. */
const ROWS_MIN = 100;
const ROW_PIXELS = 40;

export interface Drawn extends Part {
  /** Of one row, in pixels. */
  height: number;
}

/** Returns which rows of a table's body to draw, as the page is scrolled; they are all of one height. */
export function useNearby(count: number, body: RefObject<HTMLTableSectionElement | null>, { whole }: { whole: boolean }): Drawn {
  const drawn = useSignal<Drawn>({ from: 0, to: ROWS_MIN, height: ROW_PIXELS });
  const look = () => {
    const box = body.current?.getBoundingClientRect();
    if (!box?.width) return; // it is hidden
    const height = heightOf(body.current) ?? drawn.value.height;
    const { from, to } = nearby({ above: -box.top, pixels: innerHeight, height, count });
    const was = drawn.value;
    if (from !== was.from || to !== was.to || height !== was.height) drawn.value = { from, to, height };
  };
  const isWhole = whole || count <= ROWS_MIN;
  useLayoutEffect(() => { if (!isWhole) look(); }, [count, isWhole]);
  useEffect(() => {
    if (isWhole) return undefined;
    return onMoving(look);
  }, [count, isWhole]);
  return isWhole ? { from: 0, to: count, height: ROW_PIXELS } : drawn.value;
}

/** Calls `look` whenever the page has moved, and returns what ends that. */
export function onMoving(look: () => void): () => void {
  addEventListener("scroll", look, { passive: true });
  addEventListener("resize", look);
  return () => {
    removeEventListener("scroll", look);
    removeEventListener("resize", look);
  };
}

/** Returns the height of a row as the browser has made it, if there is one. */
function heightOf(body: HTMLTableSectionElement | null): number | undefined {
  const rows = [...(body?.rows ?? [])].filter((row) => row.dataset["index"]);
  const [first, last] = [rows[0], rows.at(-1)];
  return first && last && (last.getBoundingClientRect().bottom - first.getBoundingClientRect().top) / rows.length;
}
