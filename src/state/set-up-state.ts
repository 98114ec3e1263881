import type { Fault } from '../domain/fault.js';
import type { PullMeter } from '../domain/pull-meter.js';
import type { SetUpOffer } from '../domain/set-up.js';

/** A model that is to run on this machine without a server. */
export interface SetUpState {
  /** Null: not known yet, or there is no engine for this system. */
  readonly offer: SetUpOffer | null;
  /** A question is wanted, and waits for its figures. */
  readonly asking: boolean;
  readonly job: SetUpJob | null;
  /** Why the last one failed, until the next try. */
  readonly failed: Fault | null;
  /** The key of the model that was set up, until it is listed and chosen. */
  readonly awaited: string | null;
}

/** The engine and a model are being fetched. Its meter measures both as one. */
export interface SetUpJob extends PullMeter {
  readonly title: string;
  readonly startedMono: number;
  /** The model is wanted for the chat: there was none when it was begun. */
  readonly choose: boolean;
  /** Its figures are reckoned. */
  readonly estimated: boolean;
}
