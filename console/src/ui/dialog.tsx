/** Dialogs: the browser's own, which keeps the focus inside and ends on Escape. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./button.tsx";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons at the bottom, the main one last. */
  foot?: ComponentChildren;
  /** What Enter does. */
  onSubmit?: () => void;
  wide?: boolean;
  /** A click beside it does not close it: what it tells is not told again. */
  firm?: boolean;
}

/** Shows something above everything else until it is closed. */
export function Dialog({ title, onClose, children, foot, onSubmit, wide, firm }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // At once: what is typed next goes into it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => { if (before instanceof HTMLElement) before.focus(); };
  }, []);
  const submit = (event: Event) => { event.preventDefault(); onSubmit?.(); };
  // The second click of the double click that opened it does not close it.
  const ground = (event: MouseEvent) => { if (event.target === dialog.current && !firm && event.detail === 1) onClose(); };
  return (
    <dialog ref={dialog} aria-labelledby={heading} data-wide={wide} onClose={onClose} onMouseDown={ground}>
      <form method="dialog" onSubmit={submit}>
        <div class="dialog-head">
          <h2 id={heading}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </div>
        <div class="dialog-body">{children}</div>
        {foot && <div class="dialog-foot">{foot}</div>}
      </form>
    </dialog>
  );
}
