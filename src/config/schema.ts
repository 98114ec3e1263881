import type { BackendSetting, ModelSettings, Settings } from '../domain/settings.js';

/** The part of JSON Schema that the configuration uses; ajv checks it, messages and documentation are made from it. */
export interface ValueSchema {
  readonly type: 'string' | 'boolean' | 'integer' | 'number' | 'array' | 'object';
  readonly description: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  /** May be null, which means: not set, so nothing is said of it to a server. */
  readonly nullable?: true;
  readonly pattern?: string;
  readonly items?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | ValueSchema;
}

/** A property of Settings: it has a default of its own type, so a new setting without one does not compile. */
type SettingSchema<T> = ValueSchema & { readonly default: T };

const NOT_EMPTY = '\\S';

const backend: ValueSchema & { properties: Readonly<Record<keyof BackendSetting, ValueSchema>> } = {
  type: 'object',
  description: 'A server.',
  properties: {
    kind: {
      type: 'string',
      description:
        'What it is: `ollama`, `llama.cpp`, `llamafile`, `vllm`, `lmstudio`, `localai`, `jan`, `gpt4all`, `litellm` or `openai`. Left out: found out by asking it.',
      pattern: NOT_EMPTY,
    },
    url: {
      type: 'string',
      description: 'Its address, for example `http://gpu-box:11434`.',
      pattern: NOT_EMPTY,
    },
    key: {
      type: 'string',
      description:
        'Bearer key, or `${NAME}` for the value of an environment variable. Never shown or logged.',
    },
    machine: {
      type: 'string',
      description:
        'Where the readings of its machine come from: `ssh:HOST` (as `ssh HOST` works without a password), or the address of Prometheus metrics such as `http://gpu-box:9100/metrics`; several with a comma between.',
      pattern: NOT_EMPTY,
    },
    log: {
      type: 'string',
      description:
        'Where its log is, for the log pane and `lmapp logs`: a path, `journald:UNIT`, `docker:NAME`, `podman:NAME`, `lms:server`, `cmd:COMMAND`, or `ssh:HOST:` and one of them. Left out: found by itself where that is possible.',
      pattern: NOT_EMPTY,
    },
  },
  required: ['url'],
  additionalProperties: false,
};

const models: SettingSchema<ModelSettings> & {
  properties: Readonly<Record<keyof ModelSettings, ValueSchema>>;
} = {
  type: 'object',
  description: 'Model files on this machine, which run without a server.',
  properties: {
    paths: {
      type: 'array',
      description:
        'Folders that are searched for `*.gguf`, beside those of known programs; `~` stands for the home. Nothing is written there.',
      items: { type: 'string', description: 'A folder.', pattern: NOT_EMPTY },
    },
  },
  additionalProperties: false,
  default: {},
};

const properties: { readonly [K in keyof Settings]: SettingSchema<Settings[K]> } = {
  model: {
    type: 'string',
    description:
      'Model to start with, by name or as `server/name`. Empty: the one used last, else the first that can chat.',
    default: '',
  },
  backends: {
    type: 'array',
    description:
      'Servers that are always shown, beside those that are found. Servers named with `--url` come first.',
    items: backend,
    default: [],
  },
  discovery: {
    type: 'boolean',
    description: 'Look for servers on their default ports of this machine.',
    default: true,
  },
  preload: {
    type: 'boolean',
    description: 'Load the chosen model at start, behind the first frame.',
    default: false,
  },
  theme: {
    type: 'string',
    description: 'Colours of the dashboard.',
    // The names of widgets/themes/registry.ts; a test holds the two together.
    enum: ['dark', 'light'],
    default: 'dark',
  },
  layout: {
    type: 'string',
    description: 'Which panes a wide screen shows.',
    enum: ['all', 'chat-machine', 'chat'],
    default: 'all',
  },
  ascii: {
    type: 'boolean',
    description: 'Draw with ASCII characters only.',
    default: false,
  },
  mouse: {
    type: 'boolean',
    description: 'Use the mouse for focus and scrolling. Most terminals still select text with Shift held.',
    default: false,
  },
  fps: {
    type: 'integer',
    description: 'Upper bound of painted frames per second. 0: chosen to suit the terminal.',
    minimum: 0,
    maximum: 120,
    default: 0,
  },
  sampleMs: {
    type: 'integer',
    description: 'Milliseconds between two readings of the machine.',
    minimum: 250,
    maximum: 60_000,
    default: 1000,
  },
  logLevel: {
    type: 'string',
    description: 'The least important lines that the log pane shows.',
    enum: ['debug', 'info', 'warn', 'error'],
    default: 'info',
  },
  follow: {
    type: 'array',
    description:
      'What the log pane follows beside the own log and those of servers that are found: paths, `journald:UNIT`, `docker:NAME`, `podman:NAME`, `lms:server`, `cmd:COMMAND`, or `ssh:HOST:` and one of them.',
    items: { type: 'string', description: 'A place of a log.', pattern: NOT_EMPTY },
    default: [],
  },
  keys: {
    type: 'object',
    description:
      'Keys of commands, in place of the default ones: command name → list of keys. See docs/keys.md.',
    additionalProperties: {
      type: 'array',
      description: 'Keys, for example `["ctrl+o", "f2"]`. An empty list takes the key away.',
      items: { type: 'string', description: 'A key.', pattern: NOT_EMPTY },
    },
    default: {},
  },
  system: {
    type: 'string',
    description: 'System message put before every chat.',
    default: '',
  },
  temperature: {
    type: 'number',
    description:
      'How freely the next token is picked: 0 always takes the likeliest. `null`: as the server has it, nothing is sent.',
    minimum: 0,
    maximum: 5,
    nullable: true,
    default: null,
  },
  topP: {
    type: 'number',
    description:
      'Only the likeliest tokens that have this share together are picked from. `null`: as the server has it, nothing is sent.',
    exclusiveMinimum: 0,
    maximum: 1,
    nullable: true,
    default: null,
  },
  seed: {
    type: 'integer',
    description:
      'The same seed gives the same answer, where the server can do that. `null`: another answer each time.',
    minimum: 0,
    // One more stands for "by chance" in llama.cpp.
    maximum: 4_294_967_294,
    nullable: true,
    default: null,
  },
  maxTokens: {
    type: 'integer',
    description:
      'An answer is cut off at so many tokens, its thinking included; a key goes on with it. `null`: as the server has it, nothing is sent.',
    minimum: 1,
    maximum: 10_000_000,
    nullable: true,
    default: null,
  },
  keepAlive: {
    type: 'string',
    description:
      'How long Ollama keeps a model loaded after its last answer: `10m`, `1h`, `0` (unload at once), `-1` (for ever). Empty: as the server is set.',
    pattern: '^(|-?[0-9]+(\\.[0-9]+)?(ms|s|m|h)?)$',
    default: '',
  },
  idleTimeoutS: {
    type: 'number',
    description:
      'Seconds without a byte in mid-answer after which the answer counts as broken. 0: without limit.',
    minimum: 0,
    maximum: 86_400,
    default: 300,
  },
  firstByteTimeoutS: {
    type: 'number',
    description:
      'Seconds to wait for the first byte of an answer, loading the model included. 0: without limit.',
    minimum: 0,
    maximum: 86_400,
    default: 0,
  },
  connectTimeoutS: seconds('Seconds to wait for a connection. 0: 1.5 on this machine, 5 elsewhere.', 0),
  checkTimeoutS: seconds(
    'Seconds to wait for the health of a server. 0: 2.5 on this machine, 5 elsewhere.',
    0,
  ),
  listTimeoutS: seconds(
    'Seconds to wait for the list of models, of loaded models and for figures. 0: 3 on this machine, 6 elsewhere.',
    0,
  ),
  detailsTimeoutS: seconds(
    'Seconds to wait for the details of a model. 0: 10 on this machine, 15 elsewhere.',
    0,
  ),
  loadTimeoutS: seconds('Seconds that loading a model on request may take. 0: without limit.', 900),
  pullTimeoutS: seconds(
    'Seconds without progress after which a download counts as broken. 0: without limit.',
    600,
  ),
  unloadTimeoutS: seconds('Seconds that unloading or deleting a model may take. 0: 30.', 30),
  fallback: {
    type: 'array',
    description:
      'Models that are tried one after the other when an answer cannot start: `server/model`, or a name; `mock` may stand last.',
    items: { type: 'string', description: 'A model.', pattern: NOT_EMPTY },
    default: [],
  },
  fallbackMode: {
    type: 'string',
    description:
      '`ask`: a key goes on to the next model of `fallback`. `auto`: it goes on by itself and says which model answered.',
    enum: ['ask', 'auto'],
    default: 'ask',
  },
  whenFull: {
    type: 'string',
    description:
      'When a message would not fit into the context: `ask`, `raise` the context where the server allows it, or `drop` the oldest turns.',
    enum: ['ask', 'raise', 'drop'],
    default: 'ask',
  },
  contexts: {
    type: 'object',
    description:
      'Context in tokens asked of servers that let it be chosen (Ollama, LM Studio, the engine of this machine): model → tokens. Written by the question about a full context.',
    additionalProperties: {
      type: 'integer',
      description: 'Tokens.',
      minimum: 256,
      maximum: 10_000_000,
    },
    default: {},
  },
  models,
};

/** A time limit. */
function seconds(description: string, otherwise: number): SettingSchema<number> {
  return { type: 'number', description, minimum: 0, maximum: 86_400, default: otherwise };
}

/** The schema of config.json: the one source of checks, defaults and docs/configuration.md. */
export const SETTINGS_SCHEMA = {
  type: 'object',
  description: 'Configuration of lmapp.',
  properties,
  additionalProperties: false,
} as const;

export type SettingKey = keyof Settings;

export const SETTING_KEYS = Object.keys(properties) as readonly SettingKey[];

export function schemaOf(key: SettingKey): ValueSchema {
  return properties[key];
}

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(properties, key);
}

/** All settings as they are when nobody says otherwise. */
export function defaultSettings(): Settings {
  return Object.fromEntries(SETTING_KEYS.map((key) => [key, properties[key].default])) as unknown as Settings;
}

/**
 * The environment variable of a setting: `logLevel` → `LMAPP_LOG_LEVEL`. Null for those that are too rich for a variable (servers
 * and keys).
 */
export function environmentNameOf(key: SettingKey): string | null {
  const schema = schemaOf(key);
  if (schema.type === 'object' || schema.items?.type === 'object') return null;
  return `LMAPP_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
