/** Payments: all of them, and one beside. */
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
  return (
    <PageOf title="Payments" actions={<Button kind="main" icon="plus" shortcut="n" onClick={() => go(link(["test"]))}>Test payment</Button>}>
      <div class="split" data-open={Boolean(id)}>
        <div class="split-list"><List openId={id} /></div>
        {id && <div class="split-detail"><Detail key={id} id={id} back={link(["payments"], filters)} /></div>}
      </div>
    </PageOf>
  );
}
