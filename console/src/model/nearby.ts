/** Which rows of a long list are near enough to what is seen to be drawn: pure. */

export interface Part {
  from: number;
  /** The first that is not drawn any more. */
  to: number;
}

/** So many beyond each edge, so that a fast scroll meets no empty room; and what is drawn changes once in so many rows. */
const BEYOND = 12;
const STEP = 10;

export interface Seen {
  /** How many pixels of the list are above what is seen. */
  above: number;
  /** How many are seen. */
  pixels: number;
  /** Of one row, in pixels. */
  height: number;
  count: number;
}

/** Returns the rows to draw. */
export function nearby({ above, pixels, height, count }: Seen): Part {
  const first = Math.floor(Math.max(0, above) / height) - BEYOND;
  const last = Math.ceil(Math.max(0, above + pixels) / height) + BEYOND;
  const from = Math.max(0, Math.min(count - 1, Math.floor(first / STEP) * STEP));
  return { from, to: Math.max(from, Math.min(count, Math.ceil(last / STEP) * STEP)) };
}
