import { EXIT, LmappError } from '../errors.js';

/** One option of the command line. The parsers, the help, the completions and the documentation are made from it. */
export interface OptionSpec {
  /** Without dashes. */
  readonly name: string;
  readonly type: 'boolean' | 'string' | 'number';
  /** May be given several times. */
  readonly many?: true;
  /** Takes this many words; 1 unless told. */
  readonly words?: 2;
  /** What it takes, for the help: `FILE`. */
  readonly takes?: string;
  readonly does: string;
  /** What completes its value. */
  readonly completes?: 'model' | 'setting' | 'theme' | 'file' | 'log';
  /** All values that it can have. */
  readonly choices?: readonly string[];
  readonly minimum?: number;
}

export type OptionValue = boolean | string | number | readonly string[];

/** What was given on the command line, by name of option. */
export interface Arguments {
  readonly options: Readonly<Record<string, OptionValue | undefined>>;
  /** Words that are no options, without the name of the command. */
  readonly words: readonly string[];
}

const URL_OPTION: OptionSpec = {
  name: 'url',
  type: 'string',
  many: true,
  takes: '[KIND+]URL',
  does: 'a server to ask, before all others; without KIND (ollama, llama.cpp, vllm, …) it is found out',
};

/** Options of commands that only look at servers. */
export const LOOKING_OPTIONS: readonly OptionSpec[] = [
  URL_OPTION,
  { name: 'no-discovery', type: 'boolean', does: 'look for no servers beside those that are named' },
];

/** Options of every command that talks to servers. */
export const SERVER_OPTIONS: readonly OptionSpec[] = [
  ...LOOKING_OPTIONS,
  { name: 'mock', type: 'boolean', does: 'use a stand-in that needs no server' },
];

/** Of commands on models: one of the servers. */
export const WHICH_SERVER_OPTION: OptionSpec = {
  name: 'server',
  type: 'string',
  takes: 'KIND-or-URL',
  does: 'only this server: its kind (ollama), its address, or its id',
};

export const JSON_OPTION: OptionSpec = { name: 'json', type: 'boolean', does: 'print JSON (docs/models.md)' };

/** Of commands that ask a model. */
export const EMBEDDED_OPTION: OptionSpec = {
  name: 'embedded',
  type: 'boolean',
  does: 'run a model on this machine without a server; engine and model are fetched without a question (docs/embedded.md)',
};

export const MODEL_OPTION: OptionSpec = {
  name: 'model',
  type: 'string',
  takes: 'NAME',
  does: 'the model to talk to',
  completes: 'model',
};

export const FALLBACK_OPTION: OptionSpec = {
  name: 'fallback',
  type: 'string',
  takes: 'ask|auto',
  does: 'when an answer cannot start: ask before the next model of `fallback`, or go on with it',
};

/** The settings of these names. Texts, as `null` takes back what the configuration says. */
export const SAMPLING_OPTIONS: readonly OptionSpec[] = [
  { name: 'temperature', type: 'string', takes: 'N', does: 'how freely the next token is picked, 0 to 5' },
  {
    name: 'top-p',
    type: 'string',
    takes: 'N',
    does: 'pick from the likeliest tokens with this share, up to 1',
  },
  {
    name: 'seed',
    type: 'string',
    takes: 'N',
    does: 'the same seed gives the same answer, where the server can',
  },
  { name: 'max-tokens', type: 'string', takes: 'N', does: 'cut an answer off at so many tokens' },
];

export const DEBUG_OPTION: OptionSpec = {
  name: 'debug',
  type: 'boolean',
  does: 'write every request, event counts and timings to the log',
};

export const TUI_OPTIONS: readonly OptionSpec[] = [
  MODEL_OPTION,
  ...SERVER_OPTIONS,
  EMBEDDED_OPTION,
  FALLBACK_OPTION,
  ...SAMPLING_OPTIONS,
  { name: 'continue', type: 'boolean', does: 'go on with the last chat' },
  { name: 'theme', type: 'string', takes: 'NAME', does: 'colours of the dashboard', completes: 'theme' },
  { name: 'ascii', type: 'boolean', does: 'draw with ASCII characters only' },
  { name: 'fps', type: 'number', takes: 'N', does: 'most frames per second', minimum: 0 },
  { name: 'no-gpu', type: 'boolean', does: 'do not ask for readings of GPUs' },
  {
    name: 'follow',
    type: 'string',
    many: true,
    takes: 'PLACE',
    does: 'show another log, too: a file, journald:UNIT, docker:NAME, cmd:COMMAND, ssh:HOST:PLACE',
    completes: 'file',
  },
  { name: 'record', type: 'string', takes: 'FILE', does: 'write every event to FILE', completes: 'file' },
  {
    name: 'replay',
    type: 'string',
    takes: 'FILE',
    does: 'play a record, without servers and readings',
    completes: 'file',
  },
  { name: 'speed', type: 'number', takes: 'N', does: 'speed of the replay; 2 is twice as fast', minimum: 0 },
  DEBUG_OPTION,
];

/** Errors: LmappError with code 2 for options that say the contrary of --embedded. */
export function checkEmbedded(args: Arguments, contrary: readonly string[]): void {
  if (!isOn(args, 'embedded')) return;
  const given = contrary.find((name) => isOn(args, name) || listOf(args, name).length > 0);
  if (given === undefined) return;
  throw new LmappError('usage', `--embedded and --${given} cannot both be meant`, {
    hint: '--embedded runs the model on this machine, without a server.',
    exitCode: EXIT.usage,
  });
}

/** Whether a switch was given. */
export function isOn(args: Arguments, name: string): boolean {
  return args.options[name] === true;
}

/** The value of an option that takes one; the last one when it was given several times. */
export function textOf(args: Arguments, name: string): string | null {
  const value = args.options[name];
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? ((value as readonly string[]).at(-1) ?? null) : null;
}

export function numberOf(args: Arguments, name: string): number | null {
  const value = args.options[name];
  return typeof value === 'number' ? value : null;
}

export function listOf(args: Arguments, name: string): readonly string[] {
  const value = args.options[name];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
