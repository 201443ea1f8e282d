/** Webhooks: where events go, what became of them, and the inbox that the sandbox has itself. */
import { useSignal } from "@preact/signals";
import { api, result } from "../../api/client.ts";
import type { Endpoint } from "../../model/hooks.ts";
import { go, link, route } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { useKeys } from "../../ui/keys.ts";
import { useEvery, useLoad } from "../../ui/load.ts";
import { PageOf } from "../../ui/page.tsx";
import { Edit } from "./edit.tsx";
import { EndpointDetail } from "./endpoint.tsx";
import { Endpoints } from "./endpoints.tsx";
import { Inbox } from "./inbox.tsx";
import { Secret, type Shown } from "./secret.tsx";

const REFRESH_MILLISECONDS = 4_000;

/** Both tabs, with what the address names beside the list. */
export function Webhooks() {
  const { path, query } = route.value;
  const [making, shown] = [useSignal(false), useSignal<Shown | undefined>(undefined)];
  const loaded = useLoad(load, []);
  useEvery(REFRESH_MILLISECONDS, loaded.again);
  const isInbox = path[1] === "inbox";
  const id = isInbox ? undefined : path[1];
  const up = path.length > (isInbox ? 2 : 1) ? link(path.slice(0, -1), path.length > 2 ? Object.fromEntries(query) : {}) : undefined;
  useKeys({ Escape: up ? () => go(up) : undefined });
  const reveal = (one: Shown) => {
    shown.value = one;
    void loaded.again();
  };
  const make = () => { making.value = true; };
  return (
    <PageOf title="Webhooks" actions={<Button kind="main" icon="plus" onClick={make}>New endpoint</Button>}>
      <nav class="tabs" aria-label="Webhooks">
        <a href={link(["webhooks"])} aria-current={isInbox ? undefined : "page"}>Endpoints</a>
        <a href={link(["webhooks", "inbox"])} aria-current={isInbox ? "page" : undefined}>Inbox</a>
      </nav>
      {isInbox
        ? <Inbox endpoints={loaded.data.value ?? []} openId={path[2]} reveal={reveal} />
        : (
          <div class="split" data-open={Boolean(id)}>
            <div class="split-list"><Endpoints loaded={loaded} openId={id} make={make} /></div>
            {id && <div class="split-detail"><EndpointDetail key={id} id={id} openEvent={path[2]} reveal={reveal} changed={() => void loaded.again()} /></div>}
          </div>
        )}
      {making.value && <Edit onClose={() => { making.value = false; }} done={(one) => { if (one) { reveal(one); go(link(["webhooks", one.endpoint.id])); } }} />}
      {shown.value && <Secret shown={shown.value} onClose={() => { shown.value = undefined; }} />}
    </PageOf>
  );
}

async function load(signal: AbortSignal): Promise<Endpoint[]> {
  const { endpoints } = await result(api.GET("/webhook-endpoints", { params: { query: { page_size: 100 } }, signal }));
  return endpoints;
}
