/** Where an address leads to that is none of the console's. */
import { link } from "../route.ts";
import { Empty } from "../ui/feedback.tsx";
import { PageOf, Panel } from "../ui/page.tsx";

/** Says so, with a way back. */
export function Nowhere() {
  return (
    <PageOf title="Not found">
      <Panel padded={false}>
        <Empty icon="search" title="There is no such page" actions={<a class="button" href={link(["payments"])}>Go to payments</a>}>
          The address may be mistyped. Every page is in the navigation.
        </Empty>
      </Panel>
    </PageOf>
  );
}
