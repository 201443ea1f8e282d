/** Keys that do what a button does. They are silent while somebody types, and while a dialog is open. */
import { useLayoutEffect, useRef } from "preact/hooks";

type Does = (event: KeyboardEvent) => void;
/** The keys of a component, as they are now. */
type Layer = { current: Record<string, Does | undefined> };
const layers: Layer[] = [];

// Who holds Enter down has pressed a button once, not thirty times a second.
addEventListener("keydown", (event) => { if (event.repeat && event.key === "Enter") event.preventDefault(); });

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event) || document.querySelector("dialog[open]")) return;
  for (const layer of [...layers].reverse()) {
    const does = layer.current[event.key];
    if (does) {
      event.preventDefault();
      does(event);
      return;
    }
  }
});

/** Has keys do something while a component is shown; the one that was shown last goes first. */
export function useKeys(keys: Record<string, Does | undefined>): void {
  const layer = useRef(keys);
  layer.current = keys;
  // At once: a key works as soon as its button is seen.
  useLayoutEffect(() => {
    layers.push(layer);
    return () => { layers.splice(layers.indexOf(layer), 1); };
  }, []); // once: what is drawn anew stays in its place among the others
}

function isTyped(event: KeyboardEvent): boolean {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|OPTION|TEXTAREA)$/.test(target.tagName));
}
