import type { WayOn } from '../../widgets/ways-on.js';
import { formatBytes } from '../../widgets/text/format.js';
import { CATALOGUE } from '../domain/catalogue.js';
import type { AppEvent } from '../events/catalogue.js';
import { canStart } from '../state/own-servers.js';
import { waitsForModel } from '../state/set-up.js';
import type { BackendEntry, State } from '../state/state.js';
import { jobLine } from './set-up-figures.js';

export interface Ways {
  readonly title: string;
  readonly ways: readonly WayOn[];
  readonly events: readonly AppEvent[];
  readonly hint: string;
}

interface Offer {
  readonly way: WayOn;
  readonly event: AppEvent;
}

let last: { readonly of: State; readonly ways: Ways } | null = null;

/** What to do when there is nothing to chat with: shown in the empty transcript, the likeliest first. Null while there is. */
export function selectWays(state: State): Ways | null {
  const { models, chat, setUp } = state;
  if (!models.searched || chat.live || chat.done.length > 0) return null;
  if (models.backends.some(hasModelsOrMay)) return null;
  // Messages that wait for the model stand there instead.
  if (waitsForModel(state)) return chat.queue.length > 0 ? null : onTheWay(state);
  if (last?.of.models === models && last.of.setUp === setUp) return last.ways;
  const away = models.backends.flatMap(({ info, check: { status } }) =>
    status.state === 'away' ? [{ ...status.fault, url: info.url }] : [],
  );
  const { failed } = setUp;
  const first = away.find(({ url }) => url !== '');
  const hint =
    (failed ? failed.hint : away.find((f) => f.hint !== null && f.url !== '')?.hint) ??
    'A server that you start, as with "ollama serve", is found by itself.';
  const offers = offersOf(state);
  const ways: Ways = {
    title: failed
      ? `It could not be set up. ${failed.message}`
      : first
        ? `No server answers. ${first.message.includes(first.url) ? '' : `${first.url}: `}${first.message}`
        : 'No server found on this machine.',
    ways: offers.map((o) => o.way),
    events: offers.map((o) => o.event),
    hint: `${hint.replace(/[.]?$/, '.')} Up and Down choose, Enter takes.`,
  };
  last = { of: state, ways };
  return ways;
}

/** The engine of this machine is none without a model. */
function hasModelsOrMay({ info, check, models }: BackendEntry): boolean {
  return check.status.state !== 'away' && (info.kind !== 'embedded' || models.length > 0);
}

function offersOf(state: State): readonly Offer[] {
  const command = (label: string, detail: string, id: string, argument?: string): Offer => ({
    way: { label, detail },
    event: { type: 'command.invoked', command: id, ...(argument === undefined ? {} : { argument }) },
  });
  const startable = state.models.backends.filter((entry) => canStart(state, entry));
  return [
    ...startable.map(({ info }) =>
      command(`start ${info.title}`, 'it is installed on this machine', 'server.start', info.id),
    ),
    ...waysHere(state).map(([label, detail, id]) => command(label, detail, id)),
    command('look for servers again', 'after you started one', 'servers.refresh'),
    command('add a server', 'elsewhere, or on a port of its own', 'server.add'),
    command('try the mock', 'streams a text without any model', 'mock.use'),
    command('quit', '', 'app.quit'),
  ];
}

/** Label, detail and command of the ways that need no server. */
function waysHere({ setUp }: State): readonly (readonly [string, string, string])[] {
  const { offer, asking } = setUp;
  if (!offer) return [];
  const [file, ...more] = offer.files ?? [];
  const smallest = Math.min(...CATALOGUE.map(({ sizeBytes }) => sizeBytes));
  const engine = offer.engine === null ? '' : `engine ${formatBytes(offer.engine.downloadBytes)}, `;
  return [
    ...(file
      ? [
          [
            'run a model file that lies on this disk',
            `${engine}${file.name}${more.length > 0 ? ` or ${more.length} more` : ''}`,
            'setup.files',
          ] as const,
        ]
      : []),
    [
      'get a small model and run it here',
      asking ? 'asking what can be had…' : `${engine}model from ${formatBytes(smallest)}`,
      'setup.ask',
    ],
  ];
}

function onTheWay(state: State): Ways {
  const { job } = state.setUp;
  const line = job && jobLine(job, state.mono);
  return {
    title: job ? `${job.title} comes to this machine.` : 'The model is here, and is listed in a moment.',
    ways: [],
    events: [],
    hint: line
      ? `${[...line.figures, line.words].filter((part) => part !== '').join(', ')}. A message typed meanwhile is sent when the model is ready. Esc stops it.`
      : '',
  };
}
