/** What every view is put into. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "./icons.tsx";

/** A view: its title, what can be done on it, and its content. */
export function PageOf({ title, sub, actions, children }: {
  title: string; sub?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren;
}) {
  useEffect(() => { document.title = `${title} · paygate`; }, [title]);
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>{title}</h1>
        {actions}
      </header>
      {sub && <p class="page-sub">{sub}</p>}
      {children}
    </div>
  );
}

/** A box with a head. */
export function Panel({ title, actions, foot, children, padded = true }: {
  title?: string; actions?: ComponentChildren; foot?: ComponentChildren; children: ComponentChildren; padded?: boolean;
}) {
  return (
    <section class="panel" aria-label={title}>
      {(title ?? actions) && <div class="panel-head">{title && <h2>{title}</h2>}{actions}</div>}
      {padded ? <div class="panel-body">{children}</div> : children}
      {foot && <div class="panel-foot">{foot}</div>}
    </section>
  );
}

/** A fact with its name; one with a whole row has room for long words. */
export function Fact({ name, whole = false, children }: { name: string; whole?: boolean; children: ComponentChildren }) {
  return <div data-whole={whole}><dt>{name}</dt><dd>{children}</dd></div>;
}

/** Leads from what is open back to where it is listed. */
export function Back({ to, where = "list" }: { to: string; where?: string }) {
  return <a class="icon-button" href={to} aria-label={`Back to the ${where}`} title={`Back to the ${where} (Esc)`}><Icon name="back" /></a>;
}
