import type { Fault } from '../domain/fault.js';
import type { BackendCheck, BackendInfo, Model, ModelDetails, ServerOrigin } from '../domain/model.js';
import type { PastLoad } from '../domain/past-loads.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Pull } from './pulls.js';

/** A server in the tree. */
export interface BackendEntry {
  readonly info: BackendInfo;
  readonly rank: number;
  readonly origin: ServerOrigin;
  /** While it is away: epoch ms of the next question. */
  readonly nextTryMs: number | null;
  readonly check: BackendCheck;
  readonly models: readonly Model[];
  /** The list is from the disk and the server has not confirmed it yet. */
  readonly cached: boolean;
  /** Why it did not list its models when it was asked last, though it answers otherwise. */
  readonly listFault: Fault | null;
}

/** A load of ours. */
export interface LoadUnderWay {
  /** Fraction 0..1; null: the server does not tell. */
  readonly progress: number | null;
  /** What told it; null: nobody did. */
  readonly source: string | null;
  readonly sinceMono: number;
}

/** A server that was started from here. */
export interface StartedServer {
  readonly pid: number;
  readonly command: string;
  readonly logFile: string;
  readonly sinceMono: number;
  /** Its end was asked for. */
  readonly stopping: boolean;
}

/** What a server told of one model when it was asked for it. Both null: it is being asked, or there is nothing more to be told. */
export interface DetailsEntry {
  readonly asking: boolean;
  readonly details: ModelDetails | null;
  readonly fault: Fault | null;
}

/** A load that will not fit, and what is offered instead. */
export interface PendingLoad {
  readonly key: string;
  readonly pin: boolean;
  /** The message that it is for; null: it was loaded by hand. */
  readonly send: string | null;
  /** A context that fits. */
  readonly smaller: number | null;
  /** Keys of a model that could be unloaded, and of one that could be taken instead. */
  readonly unload: string | null;
  readonly instead: string | null;
}

export interface ModelsState {
  /** By rank. */
  readonly backends: readonly BackendEntry[];
  /** All servers were asked once. */
  readonly searched: boolean;
  readonly selected: string | null;
  /** The user chose it in this run; until then a better first choice may replace it. */
  readonly chosen: boolean;
  /** Keys of the models used, latest first. */
  readonly recent: readonly string[];
  /** By key. */
  readonly loading: ReadonlyMap<string, LoadUnderWay>;
  /** Key → since when (monotonic); until the server lists the model as not loaded. */
  readonly unloading: ReadonlyMap<string, number>;
  /** Keys; until the server does not list the model any more. */
  readonly deleting: ReadonlySet<string>;
  /** In the order in which they were wanted. */
  readonly pulls: readonly Pull[];
  /** By digest, where a model has one, else by key. */
  readonly details: ReadonlyMap<string, DetailsEntry>;
  /** What models really took when they were loaded, of earlier runs too; the newest last. */
  readonly loads: readonly PastLoad[];
  /** What is done when an unload has ended well. */
  readonly afterUnload: { readonly key: string; readonly event: AppEvent } | null;
  /** Loads that wait until their server has told what the model takes: by key, since when (monotonic). */
  readonly afterDetails: ReadonlyMap<string, { readonly pin: boolean; readonly sinceMono: number }>;
  /** A load that was asked about, until it is chosen what becomes of it. */
  readonly pendingLoad: PendingLoad | null;
  /** Kinds of servers whose program is on this machine. */
  readonly installed: readonly string[];
  /** Servers that were started from here and run, by id. */
  readonly started: ReadonlyMap<string, StartedServer>;
  /** Servers folded in the tree. */
  readonly folded: ReadonlySet<string>;
  /** The row under the cursor of the models pane: a model key, a backend id or the id of a pull. */
  readonly cursor: string | null;
  readonly preloaded: boolean;
  /** An unknown model name was told already. */
  readonly unknownTold: boolean;
  /** So were the names of the fall-back list that no server has. */
  readonly unknownFallbackTold: boolean;
}
