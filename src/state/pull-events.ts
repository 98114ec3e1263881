import { formatBytes, formatDuration, formatPercent } from '../../widgets/text/format.js';
import { pullFigures } from '../domain/pull-meter.js';
import { insteadOfPull, isSameModelName, pullGoesOn } from '../domain/pull-names.js';
import type { Stamped } from '../events/catalogue.js';
import type { Command } from './command.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { newPull, progressed, type Pull } from './pulls.js';
import { backendById, pullById, type BackendEntry, type State } from './state.js';

/** So many pulls run at a time, over all servers: more only share the line. */
export const PULLS_AT_ONCE = 2;

const GOES_ON = 'what came so far: Enter on it goes on from there.';

type PullEvent = Stamped & { readonly type: 'pull.started' | 'pull.progressed' | 'pull.ended' };

/** Folds what servers tell of their pulls. */
export function updatePulls(state: State, event: PullEvent, out: Effect[]): State {
  const pull = pullById(state, event.pullId);
  // It was taken out of the list with its server: its place is free now.
  if (!pull) return event.type === 'pull.ended' ? startWaiting(state, event, out) : state;
  switch (event.type) {
    case 'pull.started':
      return withPull(state, { ...pull, state: 'running', startedMono: event.mono, phaseMono: event.mono });
    case 'pull.progressed':
      return pull.state === 'running' ? withPull(state, progressed(pull, event.progress, event.mono)) : state;
    case 'pull.ended':
      return startWaiting(onEnded(state, pull, event, out), event, out);
  }
}

/** Wants a model fetched; it waits while enough others are. */
export function beginPull(
  state: State,
  event: Command,
  { info }: BackendEntry,
  typed: string,
  out: Effect[],
): State {
  const name = typed.trim();
  if (name === '') return state;
  if (!info.features.pull)
    return withNotice(
      state,
      event,
      'info',
      `${info.title} fetches no models by itself`,
      insteadOfPull(info.kind),
    );
  const same = (pull: Pull): boolean =>
    pull.backendId === info.id && isSameModelName(info.kind, pull.name, name);
  const busy = state.models.pulls.find((pull) => same(pull) && pull.state !== 'stopped');
  if (busy)
    return withNotice(
      state,
      event,
      'info',
      `${name} is being pulled already`,
      'x on it in the models pane stops it.',
    );
  const id = `pull-${event.seq}`;
  const others = state.models.pulls.filter((pull) => !same(pull));
  const pulls = [...others, newPull(id, info.id, name, event.mono)];
  const next = startWaiting({ ...state, models: { ...state.models, pulls, cursor: id } }, event, out);
  const waits = pullById(next, id)?.state === 'waiting';
  return withNotice(
    next,
    event,
    'info',
    waits ? `${name} waits: ${PULLS_AT_ONCE} pulls run at a time` : `pulling ${name} to ${info.title}`,
    pullGoesOn(info.kind) ?? 'It stops with lmapp; pulled again it goes on.',
  );
}

/** Stops a pull that runs; takes one that waits or stopped out of the list. */
export function stopPull(state: State, pull: Pull, out: Effect[]): State {
  if (pull.state === 'running') {
    out.push({ type: 'pull.cancel', pullId: pull.id });
    return state;
  }
  return withoutPull(state, pull);
}

/** A server that is not listed any more fetches nothing for us. */
export function withoutPullsOf(state: State, backendId: string, out: Effect[]): State {
  const theirs = state.models.pulls.filter((pull) => pull.backendId === backendId);
  if (theirs.length === 0) return state;
  for (const { id, state: now } of theirs)
    if (now === 'running') out.push({ type: 'pull.cancel', pullId: id });
  const pulls = state.models.pulls.filter((pull) => pull.backendId !== backendId);
  return { ...state, models: { ...state.models, pulls } };
}

/** Pulls that end with the program. */
export function unfinishedPulls(state: State): readonly Pull[] {
  return state.models.pulls.filter(
    (pull) =>
      pull.state === 'waiting' || (pull.state === 'running' && pullGoesOn(kindOf(state, pull)) === null),
  );
}

function kindOf(state: State, { backendId }: Pull): string {
  return backendById(state, backendId)?.info.kind ?? '';
}

function onEnded(state: State, pull: Pull, event: PullEvent & { type: 'pull.ended' }, out: Effect[]): State {
  const { progress } = pull;
  const figures = pullFigures(pull, event.mono);
  const kind = kindOf(state, pull);
  const goesOn = `${kind === 'embedded' ? 'lmapp' : 'The server'} keeps ${GOES_ON}`;
  if (event.cancelled) {
    const at = figures.fraction === null ? '' : ` at ${formatPercent(figures.fraction)}`;
    const alone = pullGoesOn(kind);
    if (alone !== null) {
      const text = `the pull of ${pull.name} is no longer followed${at}`;
      return withNotice(withoutPull(state, pull), event, 'info', text, alone);
    }
    const stopped = withPull(state, { ...pull, state: 'stopped' });
    return withNotice(stopped, event, 'info', `the pull of ${pull.name} is stopped${at}`, goesOn);
  }
  if (event.fault) {
    const { code, message, hint } = event.fault;
    // Of what does not exist there is nothing to go on with.
    const next =
      code === 'unknown-model'
        ? withoutPull(state, pull)
        : withPull(state, { ...pull, state: 'stopped', fault: event.fault });
    const resumes = progress !== null && (progress.completedBytes ?? 0) > 0 ? goesOn : null;
    return withNotice(next, event, 'bad', `could not pull ${pull.name}: ${message}`, hint ?? resumes);
  }
  out.push({ type: 'models.refresh', backendId: pull.backendId });
  const size = figures.totalBytes === null ? '' : `, ${formatBytes(figures.totalBytes)}`;
  return withNotice(
    withPull(state, { ...pull, state: 'done' }),
    event,
    'good',
    `${pull.name} is pulled${size} in ${formatDuration(event.mono - pull.startedMono)}`,
    null,
  );
}

/** As many of those that wait as may run. */
function startWaiting(state: State, event: Stamped, out: Effect[]): State {
  const running = state.models.pulls.filter((pull) => pull.state === 'running').length;
  const starting = state.models.pulls
    .filter((pull) => pull.state === 'waiting')
    .slice(0, Math.max(0, PULLS_AT_ONCE - running));
  return starting.reduce((next, pull) => {
    out.push({ type: 'pull.start', pullId: pull.id, backendId: pull.backendId, name: pull.name });
    return withPull(next, { ...pull, state: 'running', startedMono: event.mono, phaseMono: event.mono });
  }, state);
}

function withPull(state: State, pull: Pull): State {
  const pulls = state.models.pulls.map((other) => (other.id === pull.id ? pull : other));
  return { ...state, models: { ...state.models, pulls } };
}

function withoutPull(state: State, pull: Pull): State {
  const { cursor } = state.models;
  return {
    ...state,
    models: {
      ...state.models,
      pulls: state.models.pulls.filter(({ id }) => id !== pull.id),
      cursor: cursor === pull.id ? pull.backendId : cursor,
    },
  };
}
