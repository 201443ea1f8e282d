/** Statuses: a shape and a word, so that the colour is not needed to read them. */
import type { ComponentChildren } from "preact";
import { ACTION, DELIVERY, ENDPOINT, PAYMENT, httpShown, type ActionStatus, type DeliveryStatus, type EndpointStatus, type PaymentStatus, type Shape, type Shown } from "../model/statuses.ts";
import { Drawing } from "./icons.tsx";

const DISC = <circle cx="8" cy="8" r="6" fill="currentColor" stroke="none" />;
const RING = <circle cx="8" cy="8" r="5.5" />;
const SHAPES: Record<Shape, ComponentChildren> = {
  ring: <circle cx="8" cy="8" r="5.5" stroke-dasharray="4.3 4.3" />,
  dot: <>{RING}<circle cx="8" cy="8" r="2.4" fill="currentColor" stroke="none" /></>,
  half: <>{RING}<path d="M8 2.5a5.5 5.5 0 0 0 0 11Z" fill="currentColor" stroke="none" /></>,
  check: <>{DISC}<path d="m5.4 8.2 1.9 1.9 3.4-3.9" stroke="var(--paper)" /></>,
  back: <>{DISC}<path d="M7 5.5 4.9 7.6 7 9.7M5 7.6h4.2a1.6 1.6 0 0 1 0 3.2H8" stroke="var(--paper)" stroke-width="1.3" /></>,
  "half-back": <>{RING}<path d="M7.2 5.4 5 7.6l2.2 2.2M5.2 7.6h4a1.6 1.6 0 0 1 0 3.2" stroke-width="1.3" /></>,
  slash: <>{RING}<path d="m4.4 11.6 7.2-7.2" /></>,
  cross: <>{DISC}<path d="m6 6 4 4m0-4-4 4" stroke="var(--paper)" /></>,
  alert: <><path d="M8 2 14.2 13H1.8Z" fill="currentColor" stroke-linejoin="round" /><path d="M8 6.4v2.9m0 1.8v.1" stroke="var(--paper)" /></>,
  clock: <>{RING}<path d="M8 5.2V8l1.8 1.2" /></>,
};

/** Shows any status. */
export function Status({ shown, title }: { shown: Shown; title?: string | undefined }) {
  return (
    <span class="status" data-tone={shown.tone} data-moving={shown.shape === "ring"} title={title}>
      <ShapeOf shape={shown.shape} size={12} />
      {shown.word}
    </span>
  );
}

/** Draws the shape of a status alone. */
export function ShapeOf({ shape, size = 16 }: { shape: Shape; size?: number }) {
  return <Drawing size={size}>{SHAPES[shape]}</Drawing>;
}

export const PaymentStatusOf = ({ status }: { status: PaymentStatus }) => <Status shown={PAYMENT[status]} />;
export const ActionStatusOf = ({ status }: { status: ActionStatus }) => <Status shown={ACTION[status]} />;
export const DeliveryStatusOf = ({ status }: { status: DeliveryStatus }) => <Status shown={DELIVERY[status]} />;
export const EndpointStatusOf = ({ status }: { status: EndpointStatus }) => <Status shown={ENDPOINT[status]} />;
export const HttpStatusOf = ({ status }: { status: number }) => <Status shown={httpShown(status)} />;
