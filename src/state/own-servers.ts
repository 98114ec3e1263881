import { formatBytes } from '../../widgets/text/format.js';
import { isLoopback } from '../domain/fit.js';
import { localPort } from '../domain/local-port.js';
import type { Stamped, StartFile } from '../events/catalogue.js';
import type { Command, Commands } from './command.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { backendById, modelByKey, type BackendEntry, type Choice, type State, withModels } from './state.js';
import { openOverlay } from './view.js';

/** Files that a question offers; more would not fit on a small screen. */
const OFFERED_FILES = 9;

/** What is done with servers that run, or could run, as children of this program. */
export const OWN_SERVER_COMMANDS: Commands = {
  'server.start': (state, event, out) => {
    const entry = entryOf(state, event);
    return entry ? start(state, event, entry, out) : state;
  },
  /** The argument is the id of the server, a line break, and the path of the file. */
  'server.start-with': (state, event, out) => {
    const [backendId = '', file = ''] = (event.argument ?? '').split('\n');
    // Another one may have taken its address while the question stood there.
    const entry = backendById(state, backendId);
    if (entry && hasAddressOf(state, entry)) return start(state, event, entry, out);
    out.push({ type: 'server.start', backendId, file });
    return state;
  },
  'server.stop': (state, event, out) => {
    const id = event.argument ?? '';
    const own = state.models.started.get(id);
    if (!own) return state;
    out.push({ type: 'server.stop', backendId: id });
    return withModels(state, { started: new Map(state.models.started).set(id, { ...own, stopping: true }) });
  },
};

/** Folds what becomes of them. */
export function updateOwnServers(state: State, event: Stamped): State {
  switch (event.type) {
    case 'servers.installed':
      return withModels(state, { installed: event.kinds });
    case 'server.files.found':
      return onFiles(state, event.backendId, event.files);
    case 'server.started': {
      const { pid, command, logFile } = event;
      const own = { pid, command, logFile, sinceMono: event.mono, stopping: false };
      const started = new Map(state.models.started).set(event.backendId, own);
      return withNotice(withModels(state, { started }), event, 'info', `started: ${command}`, null);
    }
    case 'server.start.failed':
      return withNotice(state, event, 'bad', event.message, event.hint);
    case 'server.exited': {
      const own = state.models.started.get(event.backendId);
      const started = new Map(state.models.started);
      started.delete(event.backendId);
      const next = withModels(state, { started });
      const title = backendById(state, event.backendId)?.info.title ?? 'the server';
      if (event.wanted) return withNotice(next, event, 'info', `${title} has ended`, null);
      return withNotice(
        next,
        event,
        'bad',
        `${title} ended: ${event.lastLine ?? event.how}`,
        own ? `Its output is in ${own.logFile}.` : null,
        event.backendId,
      );
    }
    default:
      return state;
  }
}

/** Its program is here, it is away, it stands on this machine, and nothing else has its address. */
export function canStart(state: State, entry: BackendEntry): boolean {
  const { info, check } = entry;
  return (
    check.status.state === 'away' &&
    state.models.installed.includes(info.kind) &&
    isLoopback(info.url) &&
    !state.models.started.has(info.id) &&
    hasAddressOf(state, entry) === null
  );
}

/** Another server that answers at the same address, or was started there from here. */
function hasAddressOf(state: State, { info }: BackendEntry): BackendEntry | null {
  const port = localPort(info.url);
  const { backends, started } = state.models;
  return (
    backends.find(
      (other) =>
        other.info.id !== info.id &&
        localPort(other.info.url) === port &&
        (started.has(other.info.id) || other.check.status.state === 'ready'),
    ) ?? null
  );
}

/** A question before the end, when servers that were started from here would end, too. Null: there are none. */
export function askAboutOwnServers(state: State): State | null {
  const names = [...state.models.started.keys()].map((id) => backendById(state, id)?.info.title ?? id);
  if (names.length === 0) return null;
  const quit = (key: string, label: string, argument: string): Choice => ({
    key,
    label,
    event: { type: 'command.invoked', command: 'app.quit', argument },
  });
  const [it, them] = names.length === 1 ? ['it', 'It was'] : ['them', 'They were'];
  return openOverlay(state, 'question', null, {
    title: `${names.join(', ')} still ${names.length === 1 ? 'runs' : 'run'}`,
    lines: [`${them} started from here.`],
    choices: [
      quit('l', `quit and leave ${it} running`, 'leave'),
      quit('e', `quit and end ${it}`, 'end'),
      { key: 'n', label: 'stay', event: null },
    ],
    leave: 2,
    // Whoever presses it again and again wants out.
    interrupted: 1,
  });
}

function start(state: State, event: Command, entry: BackendEntry, out: Effect[]): State {
  const { info, check } = entry;
  const own = state.models.started.get(info.id);
  if (own) return askToStop(state, entry, own.command);
  if (check.status.state !== 'away')
    return withNotice(state, event, 'info', `${info.title} at ${info.url} runs`, null);
  if (!isLoopback(info.url))
    return withNotice(
      state,
      event,
      'info',
      `${info.title} at ${info.url} is on another machine`,
      'Start it there; it is found again by itself.',
    );
  if (!state.models.installed.includes(info.kind))
    return withNotice(
      state,
      event,
      'warn',
      `the program of ${info.title} was not found on this machine`,
      check.status.fault.hint,
    );
  const other = hasAddressOf(state, entry);
  if (other) {
    const how = state.models.started.has(other.info.id) ? 'was started from here' : 'runs';
    return withNotice(
      state,
      event,
      'info',
      `${info.title} is not started: ${other.info.title} ${how} at that address`,
      'End that one first, or add this one with another port.',
    );
  }
  out.push({ type: 'server.start', backendId: info.id, file: null });
  return state;
}

function askToStop(state: State, { info }: BackendEntry, command: string): State {
  return openOverlay(state, 'question', info.id, {
    title: `End ${info.title}`,
    lines: [`${command} was started from here. Its models leave the memory; nothing is lost.`],
    choices: [
      { key: 'n', label: 'leave it', event: null },
      {
        key: 'y',
        label: 'end it',
        event: { type: 'command.invoked', command: 'server.stop', argument: info.id },
      },
    ],
  });
}

function onFiles(state: State, backendId: string, files: readonly StartFile[]): State {
  const entry = backendById(state, backendId);
  if (!entry) return state;
  const offered = files.slice(0, OFFERED_FILES);
  const more = files.length - offered.length;
  return openOverlay(state, 'question', backendId, {
    title: `Start ${entry.info.title} with which model?`,
    lines: more > 0 ? [`${more} more lie on this disk; these are the latest.`] : [],
    choices: [
      ...offered.map(({ path, label, sizeBytes }, i) => ({
        key: String(i + 1),
        label: `${label}  ${formatBytes(sizeBytes)}`,
        event: {
          type: 'command.invoked' as const,
          command: 'server.start-with',
          argument: `${backendId}\n${path}`,
        },
      })),
      { key: 'n', label: 'none', event: null },
    ],
    leave: offered.length,
  });
}

/** The server of the row under the cursor: itself, or that of the model. */
function entryOf(state: State, event: Command): BackendEntry | null {
  // The first row has the cursor until it is moved.
  const key = event.argument ?? state.models.cursor ?? state.models.backends[0]?.info.id ?? null;
  return backendById(state, key ?? '') ?? backendById(state, modelByKey(state, key)?.backendId ?? '');
}
