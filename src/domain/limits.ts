import { isLoopback } from './fit.js';
import type { Settings } from './settings.js';

/** Time limits by phase, in milliseconds. Null: none. They count monotonic time without that in which the machine slept. */
export interface Limits {
  readonly connectMs: number;
  /** Identity and health. */
  readonly checkMs: number;
  /** Lists, loaded models, slots, metrics. */
  readonly listMs: number;
  /** Details of one model. */
  readonly detailsMs: number;
  /** From the request of a chat to its first byte: loading and reading the prompt. */
  readonly firstByteMs: number | null;
  /** Between two bytes of an answer. */
  readonly idleMs: number | null;
  readonly loadMs: number | null;
  /** Of a download, without progress. */
  readonly pullMs: number | null;
  /** Unload and delete. */
  readonly unloadMs: number;
}

/** On this machine a server answers at once or not at all; elsewhere the way takes its time. */
const LOOPBACK = { connect: 1500, check: 2500, list: 3000, details: 10_000 } as const;
const ELSEWHERE = { connect: 5000, check: 5000, list: 6000, details: 15_000 } as const;

type TimeoutSettings = Pick<
  Settings,
  | 'connectTimeoutS'
  | 'checkTimeoutS'
  | 'listTimeoutS'
  | 'detailsTimeoutS'
  | 'firstByteTimeoutS'
  | 'idleTimeoutS'
  | 'loadTimeoutS'
  | 'pullTimeoutS'
  | 'unloadTimeoutS'
>;

/** What the schema of the configuration has, for those who were given no settings. */
const DEFAULTS: TimeoutSettings = {
  connectTimeoutS: 0,
  checkTimeoutS: 0,
  listTimeoutS: 0,
  detailsTimeoutS: 0,
  firstByteTimeoutS: 0,
  idleTimeoutS: 300,
  loadTimeoutS: 900,
  pullTimeoutS: 600,
  unloadTimeoutS: 30,
};

/** The limits for a server at an address: those of the settings, where 0 stands for what suits the place, or for none. */
export function limitsOf(settings: TimeoutSettings, url: string): Limits {
  const place = isLoopback(url) ? LOOPBACK : ELSEWHERE;
  const suited = (seconds: number, otherwise: number): number => (seconds > 0 ? seconds * 1000 : otherwise);
  const optional = (seconds: number): number | null => (seconds > 0 ? seconds * 1000 : null);
  return {
    connectMs: suited(settings.connectTimeoutS, place.connect),
    checkMs: suited(settings.checkTimeoutS, place.check),
    listMs: suited(settings.listTimeoutS, place.list),
    detailsMs: suited(settings.detailsTimeoutS, place.details),
    firstByteMs: optional(settings.firstByteTimeoutS),
    idleMs: optional(settings.idleTimeoutS),
    loadMs: optional(settings.loadTimeoutS),
    pullMs: optional(settings.pullTimeoutS),
    unloadMs: suited(settings.unloadTimeoutS, 30_000),
  };
}

/** The limits of a server without settings. */
export function defaultLimits(url: string): Limits {
  return limitsOf(DEFAULTS, url);
}
