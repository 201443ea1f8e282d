/** Keys that do what a button does. They are silent while somebody types, and while a dialog is open. */
import { useEffect } from "preact/hooks";

type Does = (event: KeyboardEvent) => void;
const layers: Map<string, Does>[] = [];

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event) || document.querySelector("dialog[open]")) return;
  for (const layer of [...layers].reverse()) {
    const does = layer.get(event.key);
    if (does) {
      event.preventDefault();
      does(event);
      return;
    }
  }
});

/** Has keys do something while a component is shown; the one that was shown last goes first. */
export function useKeys(keys: Record<string, Does | undefined>): void {
  useEffect(() => {
    const layer = new Map(Object.entries(keys).filter((one): one is [string, Does] => Boolean(one[1])));
    layers.push(layer);
    return () => { layers.splice(layers.indexOf(layer), 1); };
  });
}

function isTyped(event: KeyboardEvent): boolean {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}
