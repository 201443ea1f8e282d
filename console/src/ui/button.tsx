/** Buttons. One that is impossible can still be reached, and says why. */
import type { ComponentChildren, TargetedMouseEvent } from "preact";
import { Icon, type IconName } from "./icons.tsx";

interface Props {
  children: ComponentChildren;
  onClick?: (() => void) | undefined;
  kind?: "main" | "danger" | "plain";
  icon?: IconName;
  /** The key that does the same. */
  shortcut?: string;
  /** Why it can't be used now. */
  refused?: string | undefined;
  busy?: boolean;
  /** In a line of text. */
  small?: boolean;
  submit?: boolean;
  autofocus?: boolean;
}

/**
 * Does something, once however it is pressed: the second click of a double click does nothing.
 * With `refused` it does nothing, is shown so, and says why to pointer, keyboard and reader.
 */
export function Button({ children, onClick, kind, icon, shortcut, refused, busy, small, submit, autofocus }: Props) {
  const blocked = Boolean(refused) || Boolean(busy);
  const click = (event: TargetedMouseEvent<HTMLButtonElement>) => {
    if (blocked || event.detail > 1) event.preventDefault();
    else onClick?.();
  };
  return (
    <button type={submit ? "submit" : "button"} class="button" data-kind={kind} data-small={small} onClick={click} autofocus={autofocus}
      aria-disabled={blocked} aria-busy={busy} title={refused} aria-keyshortcuts={shortcut}>
      {icon && <Icon name={icon} />}
      {children}
      {shortcut && !refused && <kbd aria-hidden="true">{shortcut}</kbd>}
    </button>
  );
}

/** Does something that a drawing says; the words are for readers, and for who points at it. */
export function IconButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
