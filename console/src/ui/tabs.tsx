/** A choice of a few views of one thing. Arrows move in it, as in every list of tabs. */
import { useId } from "preact/hooks";
import type { ComponentChildren } from "preact";

interface Props<T extends string> {
  label: string;
  tabs: readonly T[];
  open: T;
  onOpen: (tab: T) => void;
  /** At the right of them. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** Shows the tabs, and below them what the open one has. */
export function Tabs<T extends string>({ label, tabs, open, onOpen, actions, children }: Props<T>) {
  const id = useId();
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const tab = by && tabs[(tabs.indexOf(open) + by + tabs.length) % tabs.length];
    if (!tab) return;
    event.preventDefault();
    onOpen(tab);
    document.getElementById(`${id}-${tab}`)?.focus();
  };
  return (
    <div class="stack-tight">
      <div class="row-wide between">
        <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
          {tabs.map((tab) => (
            <button key={tab} id={`${id}-${tab}`} type="button" role="tab" aria-selected={tab === open} aria-controls={`${id}-panel`}
              tabIndex={tab === open ? 0 : -1} onClick={() => onOpen(tab)}>{tab}</button>
          ))}
        </div>
        {actions}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${open}`}>{children}</div>
    </div>
  );
}
