/** What a page shows instead of its content: nothing yet, nothing there, or what went wrong. */
import type { ComponentChildren } from "preact";
import type { Failure } from "../api/failure.ts";
import { adviceOn } from "../model/caught.ts";
import { Button } from "./button.tsx";
import { Copy } from "./copy.tsx";
import { Icon, type IconName } from "./icons.tsx";

/** Shows a sentence in which backticks mark what is typed or read letter by letter. */
export const Prose = ({ text }: { text: string }) => <>{text.split("`").map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part))}</>;

/** Says that there is nothing, and what to do next. */
export function Empty({ icon, title, children, actions }: {
  icon: IconName; title: string; children?: ComponentChildren; actions?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={32} />
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {actions && <div class="row-wide">{actions}</div>}
    </div>
  );
}

/** Says what went wrong, by which request, and what to do. What does not exist is not tried again: `back` leads away from it. */
export function Failed({ failure, again, back }: { failure: Failure; again?: () => void; back?: string }) {
  const leaves = failure.status === 404 ? back : undefined;
  const advice = adviceOn(failure);
  return (
    <div class="failure" role="alert">
      <Icon name="alert" />
      <div class="grow">
        <div><strong>{failure.message}</strong></div>
        {failure.fields.map((one) => <div key={one.field}><code>{one.field}</code>: {one.description}</div>)}
        {advice && <div><Prose text={advice} /></div>}
        <div class="small">
          <code>{failure.reason}</code>
          {failure.requestId && <span class="row">request <code>{failure.requestId}</code> <Copy text={failure.requestId} label="Copy the request id" /></span>}
        </div>
      </div>
      {leaves && <a class="button" href={leaves}>Back to the list</a>}
      {again && !leaves && <Button icon="again" onClick={again}>Try again</Button>}
    </div>
  );
}

/** Holds the place of rows that are not here yet; is seen after 300 ms only. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div class="panel-body stack" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => <div key={row} class="skeleton" />)}
    </div>
  );
}
