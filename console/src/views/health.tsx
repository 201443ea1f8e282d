/** Health: every part by name, and what to do when one is down. */
import { healthOf } from "../api/health.ts";
import { PATHS, groupsOf, summaryOf, type Answers, type Part } from "../model/health.ts";
import { live } from "../model/live.ts";
import type { Shown } from "../model/statuses.ts";
import { clock } from "../model/time.ts";
import { Prose, Skeleton } from "../ui/feedback.tsx";
import { useEvery, useLoad } from "../ui/load.ts";
import { PageOf, Panel } from "../ui/page.tsx";
import { Status } from "../ui/status.tsx";

const LOOK_MILLISECONDS = 2_000;

/** Shows it, as it is now. */
export function Health() {
  const asked = useLoad(async (signal) => ({ answers: await askAll(signal), at: new Date() }), []);
  useEvery(LOOK_MILLISECONDS, asked.again);
  const found = asked.data.value;
  const groups = found && groupsOf(found.answers);
  const summary = groups && summaryOf(groups);
  return (
    <PageOf title="Health" actions={found && <span class="muted small number">Checked at {clock(found.at)}, every 2 s</span>}>
      {summary && <div class="panel summary" role="status"><Status shown={summary} /><span><Prose text={summary.text} /></span></div>}
      {!groups && <Panel><Skeleton /></Panel>}
      {groups?.map(({ title, path, parts }) => (
        <Panel key={title} title={title} actions={<a class="small" href={path}><code>{path}</code></a>} padded={false}>
          <dl class="parts">{parts.map((part) => <PartOf key={part.name} part={part} />)}</dl>
        </Panel>
      ))}
      <Panel title="This page" padded={false}>
        <dl class="parts"><PartOf part={LIVE[live.state.value]} /></dl>
      </Panel>
      <Panel title="About this gateway">
        <div class="row-wide">
          <a href="/docs">API reference</a>
          <a href="/openapi.json">openapi.json</a>
          <a href="/llms.txt">llms.txt</a>
        </div>
      </Panel>
    </PageOf>
  );
}

async function askAll(signal: AbortSignal): Promise<Answers> {
  const answers = await Promise.all(PATHS.map(async (path) => [path, await healthOf(path, signal)] as const));
  return Object.fromEntries(answers) as Answers;
}

const shown = (word: string, tone: Shown["tone"], shape: Shown["shape"]): Shown => ({ word, tone, shape });
const LIVE: Record<typeof live.state.value, Part> = {
  live: { name: "Live stream", shown: shown("Connected", "good", "check"), means: "What happens appears here as it happens.", todo: undefined },
  connecting: { name: "Live stream", shown: shown("Reconnecting", "warn", "ring"), means: "Nothing new appears by itself until the stream is back. It continues where it broke: nothing is lost.", todo: "It retries at least every 5 seconds." },
  crowded: { name: "Live stream", shown: shown("Too many", "warn", "slash"), means: "This merchant has as many streams open as it may, in other tabs or programs. Lists still refresh every few seconds.", todo: "Close a tab: this one takes its place." },
  off: { name: "Live stream", shown: shown("Off", "quiet", "slash"), means: "The page was hidden for long. The stream starts again when you return.", todo: undefined },
};

function PartOf({ part }: { part: Part }) {
  return (
    <div class="part">
      <dt>{part.name}</dt>
      <dd><Status shown={part.shown} /></dd>
      <dd class="part-means">{part.means}{part.todo && <div><strong><Prose text={part.todo} /></strong></div>}</dd>
    </div>
  );
}
