import type { Fault } from '../domain/fault.js';
import type { Model, ModelDetails, PullProgress } from '../domain/model.js';
import type { PastLoad } from '../domain/past-loads.js';
import type { SetUpEnd, SetUpOffer, SetUpProgress } from '../domain/set-up.js';

/** Of models: listed, loaded, unloaded, deleted, pulled, set up. */
export type ModelEvent =
  /** The model that was chosen last in an earlier run. */
  | { readonly type: 'model.remembered'; readonly key: string }
  /** What models took when they were loaded in earlier runs. */
  | { readonly type: 'loads.remembered'; readonly loads: readonly PastLoad[] }
  | {
      readonly type: 'models.listed';
      readonly backendId: string;
      readonly models: readonly Model[];
      readonly fromCache: boolean;
    }
  | { readonly type: 'models.failed'; readonly backendId: string; readonly fault: Fault }
  | { readonly type: 'model.load.started'; readonly key: string }
  | { readonly type: 'model.load.ended'; readonly key: string; readonly fault: Fault | null }
  | {
      readonly type: 'model.load.progressed';
      readonly key: string;
      readonly progress: number | null;
      readonly source: string;
    }
  | { readonly type: 'model.unload.started'; readonly key: string }
  | { readonly type: 'model.unload.ended'; readonly key: string; readonly fault: Fault | null }
  | {
      readonly type: 'model.detailed';
      readonly key: string;
      readonly details: ModelDetails | null;
      readonly fault: Fault | null;
    }
  | { readonly type: 'model.delete.ended'; readonly key: string; readonly fault: Fault | null }
  | {
      readonly type: 'pull.started';
      readonly pullId: string;
      readonly backendId: string;
      readonly name: string;
    }
  | { readonly type: 'pull.progressed'; readonly pullId: string; readonly progress: PullProgress }
  /** `cancelled`: by the user; what came so far is kept by the server, and pulling again goes on from there. */
  | {
      readonly type: 'pull.ended';
      readonly pullId: string;
      readonly fault: Fault | null;
      readonly cancelled: boolean;
    }
  // A model of this machine without a server
  /** What could be set up; null: nothing, there is no engine for this system. */
  | { readonly type: 'setup.looked'; readonly offer: SetUpOffer | null }
  /** The figures that a question needs. `entry`: the model of the catalogue that it is about; null: the one that is recommended. */
  | {
      readonly type: 'setup.asked';
      readonly offer: SetUpOffer;
      readonly hubAnswers: boolean;
      readonly entry: string | null;
    }
  | { readonly type: 'setup.progressed'; readonly progress: SetUpProgress }
  | { readonly type: 'setup.ended'; readonly end: SetUpEnd };
