import type { Fault } from '../domain/fault.js';
import type { PullProgress } from '../domain/model.js';
import { metered, NEW_METER, type PullMeter } from '../domain/pull-meter.js';

/** A model that is being fetched by a server. It is listed until the server lists the model, or until it is taken away by hand. */
export interface Pull extends PullMeter {
  readonly id: string;
  readonly backendId: string;
  /** As typed. */
  readonly name: string;
  /**
   * waiting: others are fetched first. stopped: by the user or by a fault; pulled again it goes on where it was. done: the server has the
   * model and did not list it yet.
   */
  readonly state: 'waiting' | 'running' | 'stopped' | 'done';
  readonly startedMono: number;
  /** Since when the phase lasts: verifying says nothing for minutes. */
  readonly phaseMono: number;
  readonly fault: Fault | null;
}

export function newPull(id: string, backendId: string, name: string, mono: number): Pull {
  return {
    ...NEW_METER,
    id,
    backendId,
    name,
    state: 'waiting',
    startedMono: mono,
    phaseMono: mono,
    fault: null,
  };
}

/** The pull after one more report of its server. */
export function progressed(pull: Pull, progress: PullProgress, mono: number): Pull {
  return {
    ...pull,
    ...metered(pull, progress, mono),
    phaseMono: pull.progress?.phase === progress.phase ? pull.phaseMono : mono,
  };
}
