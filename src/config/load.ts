import type { Settings } from '../domain/settings.js';
import { LmappError } from '../errors.js';
import type { Environment } from '../ports.js';
import type { SettingFault } from './explain.js';
import { faultsOf } from './explain.js';
import type { FileContents } from './file.js';
import { readConfigFile } from './file.js';
import { parseSetting } from './parse-value.js';
import type { SettingKey } from './schema.js';
import { defaultSettings, environmentNameOf, isSettingKey, SETTING_KEYS } from './schema.js';

/** Where a value comes from. */
export type SettingSource =
  | { readonly from: 'flag'; readonly name: string }
  | { readonly from: 'environment'; readonly name: string }
  | { readonly from: 'file' }
  | { readonly from: 'default' };

/** A setting given on the command line; already checked by the command line. */
export interface FlagSetting {
  readonly key: SettingKey;
  readonly value: unknown;
  /** As typed: `--model`. */
  readonly name: string;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** Every setting with its sources: the winner, or for followed files, which are joined, all of them in order. */
  readonly sources: Readonly<Record<SettingKey, readonly SettingSource[]>>;
  /** What is wrong with file and environment, as sentences without a stop. What is wrong is not used. */
  readonly problems: readonly string[];
  readonly file: string;
  /** The file holds something that cannot be used; it is never written then. */
  readonly broken: boolean;
}

interface Layer {
  readonly source: (key: SettingKey) => SettingSource;
  readonly values: Readonly<Partial<Record<SettingKey, unknown>>>;
}

/** More files do not push out the others. */
const JOINED: ReadonlySet<SettingKey> = new Set(['follow']);

/** Merges flag > environment > file > default. Never throws: what is wrong is told in `problems`, and the next source is used. */
export function loadSettings(
  file: string,
  env: Environment,
  flags: readonly FlagSetting[] = [],
): LoadedSettings {
  const problems: string[] = [];
  const fromFile = fileLayer(file, problems);
  const layers = [flagLayer(flags), environmentLayer(env, problems), fromFile.layer];
  const settings: Partial<Record<SettingKey, unknown>> = { ...defaultSettings() };
  const sources = {} as Record<SettingKey, readonly SettingSource[]>;
  for (const key of SETTING_KEYS) {
    const givers = layers.filter((layer) => layer.values[key] !== undefined);
    const used = JOINED.has(key) ? givers : givers.slice(0, 1);
    sources[key] = used.length === 0 ? [{ from: 'default' }] : used.map((layer) => layer.source(key));
    if (used.length > 0) settings[key] = JOINED.has(key) ? joined(key, used) : used[0]?.values[key];
  }
  return { settings: settings as unknown as Settings, sources, problems, file, broken: fromFile.broken };
}

/** `flag --model`, `environment LMAPP_MODEL`, `file`, `default`. */
export function describeSource(sources: readonly SettingSource[]): string {
  return sources
    .map((source) => ('name' in source ? `${source.from} ${source.name}` : source.from))
    .join(', ');
}

function flagLayer(flags: readonly FlagSetting[]): Layer {
  const names = new Map(flags.map((flag) => [flag.key, flag.name]));
  return {
    values: Object.fromEntries(flags.map((flag) => [flag.key, flag.value])),
    source: (key) => ({ from: 'flag', name: names.get(key) ?? '' }),
  };
}

function environmentLayer(env: Environment, problems: string[]): Layer {
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const key of SETTING_KEYS) {
    const name = environmentNameOf(key);
    const text = name === null ? undefined : env[name];
    // An empty variable counts as not set, as NO_COLOR and the XDG variables do it.
    if (name === null || text === undefined || text === '') continue;
    try {
      values[key] = parseSetting(key, text, name);
    } catch (error) {
      if (!(error instanceof LmappError)) throw error;
      problems.push(error.message);
    }
  }
  return { values, source: (key) => ({ from: 'environment', name: environmentNameOf(key) ?? '' }) };
}

function fileLayer(file: string, problems: string[]): { layer: Layer; broken: boolean } {
  const source = (): SettingSource => ({ from: 'file' });
  let contents: FileContents;
  try {
    contents = readConfigFile(file);
  } catch (error) {
    if (!(error instanceof LmappError)) throw error;
    problems.push(`${error.message}; the defaults are used`);
    return { layer: { values: {}, source }, broken: true };
  }
  const faults = faultsOf(contents);
  const unusable = new Set<string>();
  for (const fault of faults) {
    problems.push(`${file}: ${fault.message}${consequenceOf(fault)}`);
    if (fault.top !== null) unusable.add(fault.top);
  }
  const usable = Object.entries(contents).filter(([key]) => isSettingKey(key) && !unusable.has(key));
  return {
    layer: { values: Object.fromEntries(usable), source },
    broken: faults.some((fault) => !fault.unknownKey),
  };
}

function consequenceOf(fault: SettingFault): string {
  if (fault.unknownKey && fault.top === null) return '';
  return `; the default of ${fault.top ?? 'all'} is used`;
}

function joined(key: SettingKey, layers: readonly Layer[]): readonly unknown[] {
  return [...new Set(layers.flatMap((layer) => layer.values[key] as readonly unknown[]))];
}
