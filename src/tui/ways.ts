import type { WayOn } from '../../widgets/ways-on.js';
import type { AppEvent } from '../events/catalogue.js';
import { canStart } from '../state/own-servers.js';
import type { State } from '../state/state.js';

export interface Ways {
  readonly title: string;
  readonly ways: readonly WayOn[];
  readonly events: readonly AppEvent[];
  readonly hint: string;
}

let last: { readonly models: State['models']; readonly ways: Ways } | null = null;

/** What to do when no server answers: shown in the empty transcript, the likeliest first. Null while there is something to chat with. */
export function selectWays(state: State): Ways | null {
  const { models, chat } = state;
  if (!models.searched || chat.live || chat.done.length > 0) return null;
  if (models.backends.some((b) => b.check.status.state !== 'away')) return null;
  if (last?.models === models) return last.ways;
  const away = models.backends.flatMap(({ info, check: { status } }) =>
    status.state === 'away' ? [{ ...status.fault, url: info.url }] : [],
  );
  const first = away[0];
  const hint =
    away.find((f) => f.hint !== null)?.hint ??
    'Start one with "ollama serve" or "llama-server -m MODEL.gguf"; it is found by itself.';
  const startable = models.backends.filter((entry) => canStart(state, entry));
  const offers: readonly { way: WayOn; event: AppEvent }[] = [
    ...startable.map(({ info }) => ({
      way: { label: `start ${info.title}`, detail: 'it is installed on this machine' },
      event: { type: 'command.invoked' as const, command: 'server.start', argument: info.id },
    })),
    {
      way: { label: 'look for servers again', detail: 'after you started one' },
      event: { type: 'command.invoked', command: 'servers.refresh' },
    },
    {
      way: { label: 'add a server', detail: 'elsewhere, or on a port of its own' },
      event: { type: 'command.invoked', command: 'server.add' },
    },
    {
      way: { label: 'try the mock', detail: 'streams a text without any model' },
      event: { type: 'command.invoked', command: 'mock.use' },
    },
    { way: { label: 'quit', detail: '' }, event: { type: 'command.invoked', command: 'app.quit' } },
  ];
  const ways: Ways = {
    title: first
      ? `No server answers. ${first.message.includes(first.url) ? '' : `${first.url}: `}${first.message}`
      : 'No server found on this machine.',
    ways: offers.map((o) => o.way),
    events: offers.map((o) => o.event),
    hint: `${hint.replace(/[.]?$/, '.')} Up and Down choose, Enter takes.`,
  };
  last = { models, ways };
  return ways;
}
