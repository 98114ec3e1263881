import { chosenContext } from '../domain/chosen-context.js';
import { isLoopback, type FitQuestion } from '../domain/fit.js';
import type { BackendFeatures, BackendKind, Model, ModelDetails } from '../domain/model.js';
import type { PastLoad } from '../domain/past-loads.js';
import { evictableOf, NO_ROOM, roomOf } from '../domain/room.js';
import type { Settings } from '../domain/settings.js';
import type { MachineLook } from './machine-once.js';

/** What a command knows for the check of a model's memory. */
export interface FitBasis {
  readonly model: Model;
  readonly server: { readonly kind: BackendKind; readonly url: string; readonly features: BackendFeatures };
  /** All models of that server. */
  readonly siblings: readonly Model[];
  readonly details: ModelDetails | null;
  readonly machine: MachineLook;
  readonly settings: Settings;
  readonly loads: readonly PastLoad[];
  /** By the command line; null: as configured. */
  readonly contextTokens?: number | null;
}

/** The memory of other machines is not looked at from the command line. */
export function fitQuestionFor(basis: FitBasis): FitQuestion {
  const { model, server, siblings, machine } = basis;
  const evictable = server.features.evicts
    ? siblings.filter(({ expiry }) => expiry !== 'in-use').flatMap((each) => evictableOf(each) ?? [])
    : [];
  return {
    model,
    kind: server.kind,
    details: basis.details,
    room: isLoopback(server.url) ? roomOf(machine.sample, machine.gpus) : NO_ROOM,
    evictable,
    chosenTokens: basis.contextTokens ?? chosenContext(basis.settings.contexts, server, model),
    loads: basis.loads,
  };
}
