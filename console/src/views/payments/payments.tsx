/** Payments: all of them, and one beside. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { go, link, route } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { useKeys } from "../../ui/keys.ts";
import { PageOf } from "../../ui/page.tsx";
import { Detail } from "./detail.tsx";
import { List } from "./list.tsx";

/** The list, with the payment that the address names beside it. */
export function Payments() {
  const { path, query } = route.value;
  const id = path[1];
  const filters = Object.fromEntries(query);
  useKeys(id ? { Escape: () => go(link(["payments"], filters)) } : {});
  useReturning(Boolean(id));
  return (
    <PageOf title="Payments" actions={<Button kind="main" icon="plus" shortcut="n" onClick={() => go(link(["test"]))}>Test payment</Button>}>
      <div class="split" data-open={Boolean(id)}>
        <div class="split-list"><List openId={id} /></div>
        {id && <div class="split-detail"><Detail key={id} id={id} back={link(["payments"], filters)} /></div>}
      </div>
    </PageOf>
  );
}

/** Where there is room for one of the two, a payment begins at its top, and the list is again where it was. */
function useReturning(isOpen: boolean): void {
  const [opened, at] = [useRef(isOpen), useRef(0)];
  useLayoutEffect(() => {
    if (opened.current === isOpen) return;
    opened.current = isOpen;
    if (matchMedia("(width < 1180px)").matches) scrollTo({ top: isOpen ? 0 : at.current, behavior: "instant" });
  }, [isOpen]);
  useEffect(() => {
    const keep = () => { if (!opened.current) at.current = scrollY; };
    addEventListener("scroll", keep, { passive: true });
    return () => removeEventListener("scroll", keep);
  }, []);
}
