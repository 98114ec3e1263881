import { formatDownload, formatDuration } from '../../widgets/text/format.js';
import { CATALOGUE } from '../domain/catalogue.js';
import { modelKey } from '../domain/model.js';
import { metered, NEW_METER } from '../domain/pull-meter.js';
import { asOnePull, type SetUpOffer, type SetUpWish } from '../domain/set-up.js';
import type { Stamped } from '../events/catalogue.js';
import type { Command, Commands } from './command.js';
import type { Effect } from './effect.js';
import { MESSAGE_WAITS, withNewsOver, withNotice } from './notices.js';
import { editPrompt } from './prompt.js';
import { beginPull } from './pull-events.js';
import { canStart } from './own-servers.js';
import { openSetUpQuestion } from './set-up-question.js';
import { backendById, modelByKey, type SetUpState, type State } from './state.js';
import { openOverlay } from './view.js';

/** The id of the server that is the engine of this machine. */
const HERE = 'embedded';

/** What is done for a model that runs on this machine without a server. */
export const SETUP_COMMANDS: Commands = {
  /** The argument is a name of the catalogue; without one the model is recommended. */
  'setup.ask': (state, event, out) => ask(state, event, event.argument ?? null, out),
  'setup.files': (state) => openSetUpQuestion(state, { kind: 'files' }),
  /** The argument is `pull NAME` or `file NAME`; with `+gpu` at the kind the engine comes with the part that was offered. */
  'setup.start': start,
  'catalogue.open': (state, event) => {
    if (state.setUp.offer) return openOverlay(state, 'catalogue');
    const onlyMock = state.models.backends.some(({ info }) => info.kind === 'mock');
    return withNotice(
      state,
      event,
      'info',
      onlyMock ? 'with --mock no model is fetched' : 'there is no engine that runs models on this system',
      onlyMock
        ? 'lmapp without --mock lists those that can be.'
        : 'Run them with a server: a in the models pane adds one.',
    );
  },
  'catalogue.take': takeFromCatalogue,
};

/** Folds what becomes of it. Returns the state, in which `awaited` may have become the chosen model. */
export function updateSetUp(state: State, event: Stamped): State {
  switch (event.type) {
    case 'setup.looked':
      return onLooked(state, event);
    case 'setup.asked': {
      if (!state.setUp.asking) return withSetUp(state, { offer: event.offer });
      const told = withSetUp(state, { offer: event.offer, asking: false });
      const { hubAnswers, entry } = event;
      return openSetUpQuestion(told, { kind: 'model', offer: event.offer, hubAnswers, entry });
    }
    case 'setup.progressed': {
      const { job } = state.setUp;
      if (!job) return state;
      const { progress, estimated } = asOnePull(event.progress);
      return withSetUp(state, { job: { ...job, ...metered(job, progress, event.mono), estimated } });
    }
    case 'setup.ended':
      return onEnded(state, event);
    default:
      return chosenWhenListed(state, event);
  }
}

/** Messages are taken while the model comes; they are sent when it is there. */
export function waitsForModel({ setUp, models }: State): boolean {
  if (models.selected !== null) return false;
  return setUp.job?.choose === true || setUp.awaited !== null;
}

/** Esc: the question is not wanted any more, or the download is stopped. Null: there is neither. */
export function leaveSetUp(state: State, out: Effect[]): State | null {
  if (state.setUp.asking) return withSetUp(state, { asking: false });
  if (!state.setUp.job) return null;
  out.push({ type: 'setup.cancel' });
  return state;
}

function ask(state: State, event: Command, entry: string | null, out: Effect[]): State {
  const { job } = state.setUp;
  if (job) return withNotice(state, event, 'info', `${job.title} is on its way already`, 'Esc stops it.');
  out.push({ type: 'setup.ask', entry });
  return withSetUp(state, { asking: true });
}

function start(state: State, event: Command, out: Effect[]): State {
  const [, kind = '', gpu, name = ''] = /^(pull|file)(\+gpu)? (.+)$/s.exec(event.argument ?? '') ?? [];
  if (state.setUp.job || (kind !== 'pull' && kind !== 'file')) return state;
  const wish: SetUpWish = { kind, name, gpu: gpu !== undefined };
  out.push({ type: 'setup.start', wish });
  const title = CATALOGUE.find((entry) => entry.name === name)?.title ?? name;
  const choose = modelByKey(state, state.models.selected) === null;
  return withSetUp(state, {
    failed: null,
    awaited: null,
    asking: false,
    job: { ...NEW_METER, title, startedMono: event.mono, choose, estimated: true },
  });
}

/** With an engine and something to chat with it is a pull like any other; else it is the way to a first model. */
function takeFromCatalogue(state: State, event: Command, out: Effect[]): State {
  const name = event.argument ?? '';
  const here = backendById(state, HERE);
  if (!here || here.check.status.state === 'away' || state.models.selected === null)
    return ask(state, event, name, out);
  return beginPull(state, event, here, name, out);
}

function onLooked(state: State, event: Stamped & { readonly type: 'setup.looked' }): State {
  const { offer } = event;
  const more = waysOf(offer) - waysOf(state.setUp.offer);
  const { waysIndex } = state.view;
  const next = withSetUp(state, { offer });
  const above = state.models.backends.filter((entry) => canStart(state, entry)).length;
  // They stand behind the servers that can be started. A focus that was put on one behind them stays there; the first one is nobody's choice.
  const shifts = more > 0 && waysIndex > 0 && waysIndex >= above;
  return shifts ? { ...next, view: { ...next.view, waysIndex: waysIndex + more } } : next;
}

/** How many ways on an offer makes: a file that lies here, and a model to be fetched. */
function waysOf(offer: SetUpOffer | null): number {
  if (!offer) return 0;
  return (offer.files?.length ?? 0) > 0 ? 2 : 1;
}

function onEnded(before: State, event: Stamped & { readonly type: 'setup.ended' }): State {
  const { end } = event;
  const state = withNewsOver(before, MESSAGE_WAITS);
  const { job, offer } = state.setUp;
  if (end.outcome === 'done') {
    const awaited = job === null || job.choose ? modelKey(HERE, end.name) : null;
    const next = withSetUp(state, { job: null, awaited, offer: offer && { ...offer, engine: null } });
    if (!job) return next;
    const fetchedBytes = job.progress?.totalBytes ?? 0;
    const fetched = fetchedBytes > 0 ? `${formatDownload(fetchedBytes)} fetched in ` : '';
    const took = formatDuration(event.mono - job.startedMono);
    return withNotice(
      next,
      event,
      'good',
      `${job.title} is on this machine: ${fetched}${took}`,
      job.choose ? null : 'Ctrl+O takes it.',
    );
  }
  const over = withMessageBack(withSetUp(state, { job: null }));
  if (end.outcome === 'cancelled')
    return withNotice(
      over,
      event,
      'info',
      `stopped: ${job?.title ?? 'the model'} is not here yet`,
      'What came is kept: the next try goes on from there.',
    );
  const { message, hint } = end.fault;
  const failed = withSetUp(over, { failed: end.fault });
  // While there is nothing to chat with, the transcript says it.
  return state.models.selected === null
    ? failed
    : withNotice(failed, event, 'bad', `${job?.title ?? 'the model'}: ${message}`, hint);
}

/** Messages that waited for the model go back to where they were typed. */
export function withMessageBack(state: State): State {
  const { queue } = state.chat;
  if (queue.length === 0 || state.chat.live || state.models.selected !== null) return state;
  const text = [...queue, state.prompt.text].filter((each) => each.trim() !== '').join('\n\n');
  return withNewsOver(
    { ...state, prompt: editPrompt(state.prompt, { op: 'set', text }), chat: { ...state.chat, queue: [] } },
    MESSAGE_WAITS,
  );
}

function chosenWhenListed(state: State, event: Stamped): State {
  const { awaited } = state.setUp;
  if (awaited === null || event.type !== 'models.listed' || !modelByKey(state, awaited)) return state;
  const next = withSetUp(state, { awaited: null });
  return { ...next, models: { ...next.models, selected: awaited, chosen: true, cursor: awaited } };
}

export function withSetUp(state: State, change: Partial<SetUpState>): State {
  return { ...state, setUp: { ...state.setUp, ...change } };
}
