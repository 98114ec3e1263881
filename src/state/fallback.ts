import type { FellBack, Turn } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import { findModel } from '../domain/find-model.js';
import { MOCK_MODEL, type Model } from '../domain/model.js';
import { nearestNames } from '../domain/names.js';
import type { Stamped } from '../events/catalogue.js';
import { shortageOfRefused } from './context.js';
import { fitOfModel } from './fit.js';
import { withNotice } from './notices.js';
import { allModels, backendById, modelByKey, withModels, type State } from './state.js';

/** A model as a turn names it. */
export interface Asked {
  readonly modelKey: string;
  readonly modelLabel: string;
  readonly backendTitle: string;
}

/** Where an answer that could not start can go. */
export interface NextModel {
  readonly asked: Asked;
  /** Those that could not start, the failed one and any that were passed by. */
  readonly fellBackFrom: readonly FellBack[];
}

/** It ended before the model said anything, and not because the user wanted it. */
export function couldNotStart(turn: Turn): boolean {
  const { outcome } = turn;
  if (outcome !== 'failed' && outcome !== 'broken' && outcome !== 'incomplete') return false;
  return turn.answer.length === 0 && turn.thinking.length === 0;
}

/**
 * The next model of `fallback` for an answer that could not start; null when there is none. Each is asked once per question. A message
 * that is too long goes elsewhere only when nothing can be done about it here.
 */
export function nextModel(state: State, turn: Turn): NextModel | null {
  if (!couldNotStart(turn)) return null;
  if (turn.fault?.code === 'context-full' && canMakeRoom(state, turn)) return null;
  const fault: Fault = turn.fault ?? {
    code: 'broken',
    message: 'the stream ended before it began',
    hint: null,
    status: null,
  };
  const { modelKey, modelLabel, backendTitle } = turn;
  let fellBackFrom: readonly FellBack[] = [
    ...turn.fellBackFrom,
    { modelKey, modelLabel, backendTitle, fault },
  ];
  for (const name of state.settings.fallback) {
    const found = modelNamed(state, name);
    if (!found || fellBackFrom.some((each) => each.modelKey === found.asked.modelKey)) continue;
    if (found.fault === null) return { asked: found.asked, fellBackFrom };
    fellBackFrom = [...fellBackFrom, { ...found.asked, fault: found.fault }];
  }
  return null;
}

/** The context can be made larger, or earlier turns can be left out. */
function canMakeRoom(state: State, turn: Turn): boolean {
  const model = modelByKey(state, turn.modelKey);
  if (!model) return false;
  const { raiseTo, drop } = shortageOfRefused(state, model, turn);
  return raiseTo !== null || drop.length > 0;
}

/** An entry of `fallback`, with the reason why it cannot be asked now. */
function modelNamed(
  state: State,
  name: string,
): { readonly asked: Asked; readonly fault: Fault | null } | null {
  if (name === MOCK_MODEL.name) {
    const { key: modelKey, label: modelLabel } = MOCK_MODEL;
    return { asked: { modelKey, modelLabel, backendTitle: MOCK_MODEL.name }, fault: null };
  }
  const model = findModel(allModels(state), name);
  return model && { asked: askedOf(state, model), fault: faultOf(state, model) };
}

function faultOf(state: State, model: Model): Fault | null {
  const cannot = (code: Fault['code'], message: string): Fault => ({
    code,
    message,
    hint: null,
    status: null,
  });
  if (!model.chat) return cannot('unsupported', 'is not a chat model');
  if (model.loadState === 'unloaded' && fitOfModel(state, model).verdict === 'short')
    return cannot('out-of-memory', 'needs more memory than is free');
  return awayFault(state, model.key);
}

export function askedOf(state: State, model: Model): Asked {
  return {
    modelKey: model.key,
    modelLabel: model.label,
    backendTitle: backendById(state, model.backendId)?.info.title ?? '',
  };
}

/** Why the server of a model is away; null when it is not, or when there is no such model. */
export function awayFault(state: State, modelKey: string): Fault | null {
  const model = modelByKey(state, modelKey);
  const status = model && backendById(state, model.backendId)?.check.status;
  return status?.state === 'away' ? status.fault : null;
}

/** The model of `model` that no server has, when there is somewhere to fall back to; null otherwise. */
export function missingModel(state: State): { readonly asked: Asked; readonly fault: Fault } | null {
  const { model: wanted, fallback } = state.settings;
  const { chosen, selected } = state.models;
  if (wanted === '' || fallback.length === 0 || chosen || selected !== null) return null;
  const away = state.models.backends.flatMap(({ info, check: { status } }) =>
    status.state === 'away' ? [`${info.title} is away: ${status.fault.message}`] : [],
  );
  return {
    asked: { modelKey: wanted, modelLabel: wanted, backendTitle: 'no server' },
    fault: {
      code: 'unknown-model',
      message: [`no server has the model ${wanted}`, ...away].join('; '),
      hint: 'Ctrl+O lists all models.',
      status: null,
    },
  };
}

/** Names of the list that no server has are said once, when every server has told its models or is known to be away. */
export function tellUnknownFallback(state: State, event: Stamped): State {
  const { fallback } = state.settings;
  const { searched, unknownFallbackTold, backends } = state.models;
  if (fallback.length === 0 || unknownFallbackTold || !searched) return state;
  if (backends.some((b) => b.cached && b.check.status.state !== 'away')) return state;
  const all = allModels(state);
  // A server that was never heard may have it.
  const silent = backends.filter((b) => b.check.status.state === 'away' && b.models.length === 0);
  const unknown = fallback.filter(
    (name) =>
      name !== MOCK_MODEL.name && !findModel(all, name) && !silent.some((b) => mayBelong(name, b.info)),
  );
  if (unknown.length === 0) return state;
  const told = withModels(state, { unknownFallbackTold: true });
  const labels = all.map((m) => m.label);
  return unknown.reduce((next, name) => {
    const near = nearestNames(name.slice(name.indexOf('/') + 1), labels);
    const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'Ctrl+O lists all models.';
    return withNotice(next, event, 'warn', `fallback: no server has the model ${name}`, hint);
  }, told);
}

function mayBelong(name: string, { id, kind }: { readonly id: string; readonly kind: string }): boolean {
  return name.startsWith(`${id}/`) || name.startsWith(`${kind}/`) || !name.includes('/');
}
